import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from src.callback.pictures import contact_sheet
from src.data.color import distinct
from src.data.description import Description
from src.report import report

DESCRIPTION = Description(("image", "mask"), ("a", "b"), distinct(2))
HEADS = {"fcn8s": "identity", "unet": "conv"}


def write(folder: Path, seed: int, score: float, **axes: str) -> Path:
    """A run folder such as src.train leaves."""
    folder.mkdir(parents=True)
    content = {
        "seed": seed,
        "score": score,
        "val": {"miou": score, "trimap_1": score / 2, "iou/a": score},
        "params": 1000,
        "seconds": 60.0,
        "status": "finished",
        "axes": {"data": "scenes", **axes, "seed": seed},
    }
    (folder / "results.json").write_text(json.dumps(content))
    (folder / "metrics.csv").write_text("epoch,train/memory_mb\n0,500\n1,700\n2,\n")
    return folder


def draw(folder: Path, names: list[str], shade: int) -> None:
    """The pictures of an evaluation: an image's own panels have its number's grey, predictions have `shade`."""

    def panel(grey: int) -> torch.Tensor:
        return torch.full((3, 16, 32), grey, dtype=torch.uint8)

    rows = [{"image": panel(int(n)), "target": panel(int(n)), "prediction": panel(shade)} for n in names]
    sheet, info = contact_sheet(rows, DESCRIPTION), PngInfo()
    info.add_text("panels", json.dumps({"names": names, **sheet.info}))
    (folder / "pictures").mkdir()
    sheet.save(folder / "pictures" / "val.png", pnginfo=info)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two decoders, each with a head of its own, by two seeds."""
    top = tmp_path / "runs"
    for decoder, score in (("fcn8s", 0.2), ("unet", 0.5)):
        for seed in (0, 1):
            axes = {"model/decoder": decoder, "model/head": HEADS[decoder]}
            folder = write(top / f"{decoder}_{seed}", seed, score + 0.1 * seed, **axes)
            draw(
                folder,
                ["10", "20", "30"] if decoder == "unet" else ["20", "30", "40"],
                100 if seed else int(score * 400),
            )
    return top


def test_an_arm_is_named_by_its_axes_and_told_by_its_columns(runs: Path, tmp_path: Path) -> None:
    columns = ["miou", "val/trimap_1", "seconds", "memory_mb", "params"]
    report(runs, tmp_path / "out", axes=["model/decoder"], columns=columns)
    lines = (tmp_path / "out" / "study.md").read_text().splitlines()
    assert lines[0].startswith("Mean ± sample standard deviation over n seeds, best `score` first. data=scenes")
    assert lines[2:] == [
        "| `model/decoder` | n | `val/miou` | `val/trimap_1` | `seconds` | `memory_mb` | `params` |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
        "| unet | 2 | 0.5500 ± 0.0707 | 0.2750 ± 0.0354 | 60.0 | 700 | 1,000 |",
        "| fcn8s | 2 | 0.2500 ± 0.0707 | 0.1250 ± 0.0354 | 60.0 | 700 | 1,000 |",
    ]
    with (tmp_path / "out" / "study.csv").open(newline="") as stream:
        best, second = csv.DictReader(stream)
    assert (best["model/decoder"], best["n"], second["model/decoder"]) == ("unet", "2", "fcn8s")
    assert float(best["val/miou"]) == pytest.approx(0.55)
    assert float(best["val/miou std"]) == pytest.approx(0.1 / 2**0.5)
    assert "model/head" not in best


def test_the_bars_are_a_picture(runs: Path, tmp_path: Path) -> None:
    report(runs, tmp_path / "out", axes=["model/decoder"], columns=["miou", "seconds"])
    picture = np.asarray(Image.open(tmp_path / "out" / "study.png").convert("RGB")).astype(int)
    blue = (np.abs(picture - (169, 196, 228)).max(2) < 3)[:, : picture.shape[1] // 2]
    lengths = sorted(blue.sum(1)[blue.any(1)])
    # the bars of .25 and .55; what the error bars hide of them makes the ratio no exact one
    assert lengths[-1] / lengths[len(lengths) // 4] == pytest.approx(0.55 / 0.25, rel=0.15)


def test_the_arms_are_shown_side_by_side_on_images_that_all_of_them_have(runs: Path, tmp_path: Path) -> None:
    report(runs, tmp_path / "out", axes=["model/decoder"])
    sheet = np.asarray(Image.open(tmp_path / "out" / "predictions.png"))
    middles = [sheet[20 + 96 + row * 196, 192 + column * 388, 0] for row in (0, 1) for column in range(4)]
    assert middles == [20, 20, 200, 80, 30, 30, 200, 80]  # image, target, unet and fcn8s of seed 0
    assert sheet.shape[0] == 20 + 2 * 192 + 4


def test_an_arm_without_pictures_is_named(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "fcn8s_0" / "pictures" / "val.png").unlink()
    report(runs, tmp_path / "out", axes=["model/decoder"])
    assert "predictions.png: fcn8s: no pictures of val in" in capsys.readouterr().out
    assert np.asarray(Image.open(tmp_path / "out" / "predictions.png")).shape[1] == 3 * 384 + 2 * 4


def test_runs_that_are_no_seeds_of_each_other_are_not_averaged(runs: Path, tmp_path: Path) -> None:
    write(runs / "other", 0, 0.9, **{"model/decoder": "unet", "model/head": "conv", "optimizer.lr": "0.1"})
    message = r"model/decoder=unet: its runs differ in more than the seed, in optimizer\.lr: add one of these to axes="
    with pytest.raises(ValueError, match=message):
        report(runs, tmp_path / "out", axes=["model/decoder"])
    assert not (tmp_path / "out").exists()
    report(runs, tmp_path / "out", axes=["model/decoder", "optimizer.lr"])
    assert "| unet | 0.1 | 1 | 0.9000 |" in (tmp_path / "out" / "study.md").read_text()
    assert "| unet | - | 2 | 0.5500 ± 0.0707 |" in (tmp_path / "out" / "study.md").read_text()


def test_an_axis_or_a_column_that_nobody_has_is_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"axes=model/decodr: no run has it; did you mean 'model/decoder'\?"):
        report(runs, tmp_path / "out", axes=["model/decodr"])
    with pytest.raises(ValueError, match=r"columns=trimap_2: no finished run has it; did you mean 'trimap_1'\?"):
        report(runs, tmp_path / "out", axes=["model/decoder"], columns=["trimap_2"])
