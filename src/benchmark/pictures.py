"""Files as CamVid has them, rendered, for machines without CamVid."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms.v2.functional import to_pil_image

from src.data.description import UNKNOWN
from src.data.scenes import Scenes

_DIFFERENT = 8  # scenes that are rendered; after that they come again


def written(root: Path, size: Sequence[int], count: int) -> Path:
    """Write `count` pairs of PNG files and the list of the split train below `root`, and return it."""
    scenes = Scenes("train", size, {"train": min(count, _DIFFERENT), "val": 0, "test": 0})
    for folder in ("train", "trainannot"):
        (root / folder).mkdir(parents=True)
    drawn = [scenes[index] for index in range(len(scenes))]
    for index in range(count):
        sample = drawn[index % len(drawn)]
        to_pil_image(sample.image).save(root / "train" / f"{index}.png")
        mask = torch.where(sample.mask == UNKNOWN, 11, sample.mask)  # CamVid's own unknown
        Image.fromarray(mask.byte().numpy()).save(root / "trainannot" / f"{index}.png")
    lines = "".join(f"train/{index}.png trainannot/{index}.png\n" for index in range(count))
    (root / "train.txt").write_text(lines)
    return root
