"""Colorization end to end: trained, gone on with after a stop, evaluated, and better than no colours at all."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from src.data.description import Description
from src.data.lab import lab
from src.data.scenes import Scenes
from src.metric.suite import colorization

TINY = ["task=colorization", "model=eccv16", "model.width=2", "data.resolution=[48,64]", "data.batch_size=2"]


@pytest.mark.parametrize("loss", ["color_bins", "smooth_l1"])
def test_a_stopped_run_ends_as_if_it_had_not_been_and_scores_as_evaluated(loss, stopped):
    told, weights = stopped(*TINY, f"loss={loss}", "data.lengths={train:4,val:2,test:1}")
    assert ("loss.weight" in weights) == (loss == "color_bins")
    assert (told["task"], told["model"]) == ("colorization", "eccv16")
    assert {"auc", "auc_rebalanced", "psnr", "ssim", "rmse_ab", "colorfulness", "loss"} <= set(told["val"])


@pytest.mark.long
@pytest.mark.parametrize(("loss", "beaten"), [("smooth_l1", ("auc", "psnr")), ("color_bins", ("auc_rebalanced",))])
def test_it_learns_colours_of_scenes(loss, beaten, run):
    size, lengths = (32, 48), {"train": 64, "val": 16, "test": 1}
    words = ["task=colorization", f"loss={loss}", f"data.resolution={[*size]}".replace(" ", ""), "data.batch_size=8"]
    lengths_said = ",".join(f"{split}:{count}" for split, count in lengths.items())
    folder = run(*words, f"data.lengths={{{lengths_said}}}", "trainer.max_epochs=20")
    found = json.loads((folder / "results.json").read_text())["val"]
    train, val = (_lab(Scenes(split=split, resolution=size, lengths=lengths)) for split in ("train", "val"))
    for constant in (torch.zeros(2), train[:, 1:].mean((0, 2, 3))):
        known = colorization(Description(("image",)))
        known.update(constant.view(1, 2, 1, 1).expand(len(val), 2, *size), val)
        scores = {name: value.item() for name, value in known.compute().items()}
        assert all(found[name] > scores[name] for name in beaten), (found, scores)
        assert loss == "color_bins" or found["rmse_ab"] < scores["rmse_ab"]


def test_a_folder_of_photographs_needs_no_masks(run, tmp_path):
    draw = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for index in range(8):
        image = draw.integers(0, 256, (32, 32, 4), np.uint8)  # with transparency, which is left out
        image = image[..., :3] if index % 2 else image
        if index == 5:
            image[...] = image[..., :1]  # a grey photograph in colour
        Image.fromarray(image).save(tmp_path / "images" / f"{index}.png")
    words = ["task=colorization", "data=folder", f"data.root={tmp_path}", "data.masks=null", "data.val_fraction=0.4"]
    folder = run(*words, "data.batch_size=2")
    scores = json.loads((folder / "results.json").read_text())["val"]
    assert 0 < scores["auc"] < 1
    assert scores["loss"] > 0


def test_grey_photographs_are_refused(run, tmp_path: Path):
    (tmp_path / "images").mkdir()
    for index in range(8):
        Image.new("L", (32, 32), 20 * index).save(tmp_path / "images" / f"{index}.png")
    with pytest.raises(ValueError, match=r"task=colorization learns the colours of RGB images, .* have 1 channel:"):
        run("task=colorization", "data=folder", f"data.root={tmp_path}", "data.masks=null")


def _lab(scenes: Scenes) -> Tensor:
    return torch.stack([lab(scenes[index].image.as_subclass(Tensor).float() / 255) for index in range(len(scenes))])
