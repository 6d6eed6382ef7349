"""Things and stuff from one command line to the next: trained on scenes, predicted with objects, scored."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.data.scenes import Scenes
from src.data.segments import spelled
from src.metric.panoptic import Panoptic
from src.predict import predict
from src.run import cli
from src.score import score

SIZE, COUNT = (48, 64), 3


def written(folder: Path) -> tuple[Path, Path, list[tuple[np.ndarray, np.ndarray]]]:
    """Scenes as photos and COCO's panoptic annotations, and their maps."""
    scenes = Scenes("val", resolution=SIZE, lengths={"train": 1, "val": COUNT, "test": 1})
    description, said, maps = scenes.describe(), [], []
    for part in ("photos", "truth"):
        (folder / part).mkdir()
    for index in range(COUNT):
        sample = scenes[index]
        mask, ids = sample.mask.numpy().astype(np.int64), np.zeros(SIZE, np.int64)
        for number, there in enumerate(sample.instances.masks.numpy(), 1):
            ids[there > 0] = number
        ids = np.where(mask == 255, 0, (ids + 1) * 256 + mask)
        Image.fromarray(sample.image.permute(1, 2, 0).numpy()).save(folder / f"photos/{index}.png")
        Image.fromarray(spelled(ids)).save(folder / f"truth/{index}.png")
        segments = [{"id": key, "category_id": key % 256} for key in np.unique(ids[ids > 0]).tolist()]
        said.append({"image_id": index, "file_name": f"{index}.png", "segments_info": segments})
        maps.append((mask, ids))
    categories = [
        {"id": index, "name": name, "isthing": int(index in description.countable)}
        for index, name in enumerate(description.classes)
    ]
    (folder / "truth.json").write_text(json.dumps({"annotations": said, "categories": categories}))
    return folder / "photos", folder / "truth.json", maps


def test_a_map_with_objects_is_scored_as_a_panoptic_result(run, tmp_path, capsys):
    photos, truth, maps = written(tmp_path)
    words = [f"data.resolution={list(SIZE)}", "data.lengths={train:16,val:2,test:1}", "optimizer.lr=0.003"]
    checkpoint = run(*words, "model=unet_groupnorm", "trainer.max_epochs=5") / "checkpoints" / "best.ckpt"
    output = tmp_path / "out"
    words = [f"ckpt={checkpoint}", f"input={photos}", f"output={output}", "objects=true", "min_object=9"]
    predict(cli.compose("predict", [*words, "trainer.accelerator=cpu"]))
    file = tmp_path / "scores.json"
    pq = score(cli.compose("score", [f"prediction={output}", f"target={truth}", f"output={file}"]))
    description = Scenes("val", resolution=SIZE).describe()
    metric = Panoptic(description.num_classes, description.countable)
    for index, target in enumerate(maps):
        mask, ids = (
            np.array(Image.open(folder / f"{index}.png")).astype(np.int64) for folder in (output, output / "objects")
        )
        mask[(ids == 0) & np.isin(mask, description.countable)] = 255  # smaller than min_object
        metric.update(*(tuple(torch.from_numpy(part)[None] for part in pair) for pair in ((mask, ids), target)))
    assert pq == pytest.approx(metric.compute()["pq"].item())
    found = json.loads(file.read_text())
    assert found["images"] == COUNT
    assert 0 < found["pq"] < 1
    assert found["pq_stuff"] > 0
    assert "PQ of class" in capsys.readouterr().out
