"""The peer of the learning curve: segmentation-models-pytorch's U-Net in a plain loop, by CPU seconds.

ResNet-18 from random weights, AdamW, batch 8, mirror only, cross entropy, bf16 and channels_last where the CPU
multiplies bf16, one cycle up to a rate of 3e-3. It is scored as our runs are: unknown pixels left out, one confusion
matrix, logits at the size of the file.
"""

import csv
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from src.data.camvid import CamVid
from src.data.description import UNKNOWN
from src.data.sample import Sample
from src.metric.labels import labels
from src.metric.suite import semantic
from src.run.device import precision

SIZE, BATCH, RATE = (180, 240), 8, 3e-3
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
READINGS = 12


def train(root: Path, budget: float, seed: int, output: Path) -> None:
    """Train for `budget` CPU seconds, scoring the split val at even intervals, which do not count; a row for each."""
    torch.manual_seed(seed)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision("auto", "cpu") == "bf16-mixed")
    images, masks = _loaded(CamVid(split="train", root=root))
    net = _network().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=1001)
    spent, seen, done = 0.0, 0, 0
    rows = []
    while spent < budget:
        began = time.process_time()
        while cycle.last_epoch < min(1000, int(1000 * spent / budget)):  # the schedule follows the clock
            cycle.step()
        chosen = torch.randint(len(images), (BATCH,))
        mirrored = torch.rand(BATCH) < 0.5
        x = torch.stack([images[i].flip(-1) if m else images[i] for i, m in zip(chosen, mirrored, strict=True)])
        y = torch.stack([masks[i].flip(-1) if m else masks[i] for i, m in zip(chosen, mirrored, strict=True)])
        with autocast:
            loss = F.cross_entropy(_answer(net, x), y.long(), ignore_index=UNKNOWN)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent, seen = spent + time.process_time() - began, seen + BATCH
        if spent >= budget * (done + 1) / READINGS:
            done += 1
            rows.append({"cpu_seconds": round(spent, 1), "images": seen, "val/miou": _score(net, root, autocast)})
            _write(output, rows)
            print(rows[-1], flush=True)


def _network() -> nn.Module:
    import segmentation_models_pytorch as smp

    return smp.Unet("resnet18", encoder_weights=None, classes=11)


def _answer(net: nn.Module, image: Tensor) -> Tensor:
    """Logits at the size of the image; this network wants sides that 32 divides."""
    height, width = image.shape[-2:]
    x = (image.float() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    x = F.pad(x, (0, -width % 32, 0, -height % 32)).contiguous(memory_format=torch.channels_last)
    return net(x)[..., :height, :width]


def _loaded(samples: CamVid) -> tuple[Tensor, Tensor]:
    """Images and masks at half resolution, decoded before the clock starts."""
    pairs = [_half(samples[index]) for index in range(len(samples))]
    return torch.stack([image for image, _ in pairs]), torch.stack([mask for _, mask in pairs])


def _half(sample: Sample) -> tuple[Tensor, Tensor]:
    image = F.interpolate(sample.image[None].as_subclass(Tensor).float(), SIZE, mode="bilinear", antialias=True)
    mask = F.interpolate(sample.mask[None, None].as_subclass(Tensor), SIZE, mode="nearest-exact")
    return image[0].round().clamp(0, 255).byte(), mask[0, 0]


@torch.no_grad()
def _score(net: nn.Module, root: Path, autocast: torch.autocast) -> float:
    samples = CamVid(split="val", root=root)
    scores = semantic(samples.describe())
    net.eval()
    for index in range(len(samples)):
        sample = samples[index]
        with autocast:
            logits = _answer(net, _half(sample)[0][None])
        logits = F.interpolate(logits.float(), sample.size, mode="bilinear", align_corners=False)
        scores.update(labels(logits), sample.mask[None].as_subclass(Tensor))
    net.train()
    return float(scores.compute()["miou"])


def _write(output: Path, rows: list[dict[str, float]]) -> None:
    with output.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    root, budget, seed, output = sys.argv[1:]
    train(Path(root), float(budget), int(seed), Path(output))
