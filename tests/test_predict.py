"""Predictions as files, through the command's own entry point; the checkpoint is a convolution with random weights."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src import predict as command
from src.data.color import UNKNOWN_COLOR
from src.data.datamodule import DataModule
from src.evaluate import evaluate
from src.run import cli
from src.run.build import build, plain
from src.run.check import check
from src.run.evaluation import evaluator, scores
from src.run.inference import outputs, picture, prediction
from src.run.inference.ensemble import Ensemble
from src.run.inference.objects import Objects
from src.run.restore import assembled, restored
from src.score import compare

SIZE = (24, 32)
MODEL = "torch.nn.Conv2d"
Predict = Callable[..., None]


def checkpoint(path: Path, *overrides: str, seed: int = 0) -> Path:
    """A run's best.ckpt as src.train would have left it, for the scenes."""
    config = plain(
        cli.compose(
            "train",
            [
                f"data.resolution={list(SIZE)}",
                "data.lengths={train: 1, val: 5}",
                "data.cache=none",
                "trainer.precision=32-true",
                *overrides,
            ],
        )
    )
    config["model"] = {"_target_": MODEL, "_partial_": True, "kernel_size": 5, "padding": 2}
    data = module(config)
    torch.manual_seed(seed)
    task = assembled(config, data.description)
    weight = torch.randn_like(task.model.weight)
    task.model.weight.data = weight - weight.mean((1, 2, 3), keepdim=True)  # else the brightest class is everywhere
    content = {"state_dict": task.state_dict(), "config": config, "description": data.description.plain()}
    torch.save(content, path)
    return path


def module(config: dict) -> DataModule:
    return build(config["data"], transform=build(config["transform"]), fields=("image", "mask"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five images of two sizes in two folders."""
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png", "sub/a.png", "sub/c.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20 if path.stem == "a" else 12, 16, 3), np.uint8)).save(path)
    Image.fromarray(rng.integers(0, 256, (20, 16), np.uint8)).save(tmp_path / "photos" / "grey.jpg")
    return tmp_path / "photos"


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    """Runs the command on photos/, with a checkpoint; the overrides given come last."""
    ckpt = checkpoint(tmp_path / "best.ckpt")

    def run(*overrides: str) -> None:
        given = {
            "ckpt": str(ckpt),
            "input": str(tmp_path / "photos"),
            "output": str(tmp_path / "out"),
            "allow": f"[{MODEL}]",
            "trainer.accelerator": "cpu",
        }
        given |= dict(override.split("=", 1) for override in overrides)
        command.predict(cli.compose("predict", [f"{key}={value}" for key, value in given.items()]))

    return run


def indices(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("overrides", [(), ("data.size=[15,21]",), ("trainer.precision=bf16-mixed",)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_masks_are_what_the_evaluation_scores(tmp_path, predict, overrides, batch_size):
    path = checkpoint(tmp_path / "run.ckpt", *overrides)
    task, config = restored(path, [MODEL])
    data = module(config)
    trainer = evaluator({"accelerator": "cpu", "precision": config["trainer"]["precision"]}, tmp_path, pictures=0)
    scores(task, data, "val", trainer)
    images = tmp_path / "val"
    images.mkdir()
    for sample in (data.split("val")[index] for index in range(5)):
        Image.fromarray(sample.image.permute(1, 2, 0).numpy()).save(images / f"{Path(sample.name).name}.png")
    predict(f"ckpt={path}", f"input={images}", f"batch_size={batch_size}")
    confusion = torch.zeros(9, 9, dtype=torch.int64)
    for sample in (data.split("val")[index] for index in range(5)):
        answer = torch.from_numpy(indices(tmp_path / "out" / f"{Path(sample.name).name}.png")).long()
        confusion.view(-1).index_add_(0, (sample.mask.long() * 9 + answer).flatten(), torch.ones(SIZE).long().flatten())
    assert torch.equal(task.values["test"]["confusion"][:, :9], confusion)
    assert (confusion.sum(0) > 0).sum() > 3, "a checkpoint that says little would prove little"


@pytest.mark.parametrize("combine", ["mean", "product", "max", "vote"])
@pytest.mark.parametrize("looks", [(), ("mirror=true", "scales=[0.5,1]")])
def test_several_checkpoints_score_in_an_evaluation_what_their_masks_score(tmp_path, predict, combine, looks):
    others = ([], ["data.size=[15,21]"], ["trainer.precision=bf16-mixed"])
    paths = [checkpoint(tmp_path / f"{i}.ckpt", *words, seed=i) for i, words in enumerate(others)]
    data = module(restored(paths[0], [MODEL])[1])
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for index, sample in enumerate(data.split("val")[index] for index in range(5)):
        Image.fromarray(sample.image.permute(1, 2, 0).numpy()).save(tmp_path / "images" / f"{index}.png")
        Image.fromarray(sample.mask.numpy().astype(np.uint8)).save(tmp_path / "masks" / f"{index}.png")
    words = [f"ckpt=[{','.join(map(str, paths))}]", f"combine={combine}", *looks]
    output = tmp_path / "scores.json"
    common = ["trainer.accelerator=cpu", f"allow=[{MODEL}]"]
    config = cli.compose("evaluate", [*words, *common, f"output={output}"])
    check(plain(config), "evaluate")
    evaluate(config)
    predict(*words, f"input={tmp_path / 'images'}")
    scored = compare(tmp_path / "out", tmp_path / "masks", data.description)["scores"]
    evaluated = json.loads(output.read_text())
    assert {key: evaluated[key] for key in scored} == pytest.approx(scored, abs=0, nan_ok=True)
    assert (evaluated["combine"], "mirror" in evaluated) == (combine, bool(looks))
    assert (tmp_path / "pictures" / "val.png").is_file()


def test_every_image_gets_a_palette_mask_of_its_size_and_an_overlay(tmp_path, photos, predict):
    predict()
    names = ["a", "b", "grey", "sub/a", "sub/c"]
    assert files(tmp_path / "out") == sorted(
        [*(f"{name}.png" for name in names), *(f"overlays/{name}.jpg" for name in names), "predictions.json"]
    )
    mask, image = Image.open(tmp_path / "out" / "sub" / "a.png"), Image.open(photos / "sub" / "a.png")
    assert (mask.mode, mask.size) == ("P", image.size)
    record = json.loads((tmp_path / "out" / "predictions.json").read_text())
    colors = np.array(mask.getpalette()).reshape(-1, 3)
    assert [list(color) for color in colors[:9]] == [entry["color"] for entry in record["classes"]]
    assert tuple(colors[255]) == UNKNOWN_COLOR
    assert {(entry["name"], entry["status"]) for entry in record["files"]} == {(name, "written") for name in names}


def test_an_overlay_is_half_the_image_and_half_the_color(tmp_path, photos, predict):
    _, mask = predict(), indices(tmp_path / "out" / "a.png")
    image = torch.from_numpy(np.array(Image.open(photos / "a.png"))).permute(2, 0, 1)
    description = restored(tmp_path / "best.ckpt", [MODEL])[0].description
    expected = (np.array(Image.open(photos / "a.png")) + np.array(description.colors)[mask]) / 2
    assert np.abs(picture.overlaid(image, mask, description) - expected).max() <= 0.5
    mask[:3] = 255
    assert np.array_equal(picture.overlaid(image, mask, description)[:3], np.array(Image.open(photos / "a.png"))[:3])


def test_the_overlay_of_a_large_image_is_shrunk(photos, predict, tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "_LARGEST", 100)
    predict()
    assert Image.open(tmp_path / "out" / "overlays" / "a.jpg").size == (8, 10)


def test_probabilities_and_a_map_per_class_agree_with_the_mask(tmp_path, photos, predict):
    predict("probabilities=true", "one_hot=true", "overlay=false", "tile=10", "mirror=true", "scales=[0.5,1]")
    mask = indices(tmp_path / "out" / "sub" / "c.png")
    found = np.load(tmp_path / "out" / "probabilities" / "sub" / "c.npy")
    assert (found.dtype, found.shape) == (np.float16, (9, *mask.shape))
    assert np.abs(found.astype(np.float32).sum(0) - 1).max() < 5e-3
    picked = np.take_along_axis(found, mask[None].astype(np.int64), 0)[0]
    assert (picked >= found.max(0) - 1e-3).all()
    maps = np.stack([indices(tmp_path / "out" / "one_hot" / name / "sub" / "c.png") for name in ("floor", "cone")])
    assert np.array_equal(maps, np.stack([mask == 0, mask == 8]) * 255)
    assert not (tmp_path / "out" / "overlays").exists()
    assert not [name for name in files(tmp_path / "out") if name.endswith(".part")]


def test_where_masks_overlap_the_maps_are_exact_and_the_mask_is_a_picture(tmp_path, photos, predict):
    content = torch.load(tmp_path / "best.ckpt", weights_only=True)
    content["description"]["multilabel"] = content["config"]["task"]["multilabel"] = True
    torch.save({**content, "state_dict": _suites_left_out(content)}, tmp_path / "many.ckpt")
    predict(f"ckpt={tmp_path / 'many.ckpt'}", "one_hot=true")
    model = restored(tmp_path / "many.ckpt", [MODEL])[0].model
    image = torch.from_numpy(np.array(Image.open(photos / "a.png"))).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        expected = (model(image)[0].sigmoid() > 0.5).numpy()
    record = json.loads((tmp_path / "out" / "predictions.json").read_text())
    names = [entry["name"] for entry in record["classes"]]
    maps = np.stack([indices(tmp_path / "out" / "one_hot" / name / "a.png") for name in names])
    assert np.array_equal(maps, expected * 255)
    highest = np.where(expected.any(0), 8 - expected[::-1].argmax(0), 255)
    assert np.array_equal(indices(tmp_path / "out" / "a.png"), highest)


def _suites_left_out(content: dict) -> dict:
    """The weights as a task of overlapping masks holds them: its suites count otherwise."""
    from src.data.description import Description

    own = assembled(content["config"], Description.of(content["description"])).state_dict()
    return {key: content["state_dict"].get(key, value) for key, value in own.items()}


@pytest.mark.parametrize("objects", ["true", "watershed"])
def test_objects_are_numbered_drawn_and_counted_and_the_counts_outlive_a_resumption(tmp_path, photos, predict, objects):
    options = (f"objects={objects}", "min_object=2", "overlay=false")
    predict(*options)
    description = restored(tmp_path / "best.ckpt", [MODEL])[0].description
    ids, counts = Objects(description, objects == "watershed", 2)(indices(tmp_path / "out" / "sub" / "c.png"))
    assert sum(counts.values()) == ids.max() > 1
    written = Image.open(tmp_path / "out" / "objects" / "sub" / "c.png")
    assert written.mode == "I;16"
    assert np.array_equal(np.array(written), ids)
    image = np.array(Image.open(photos / "sub" / "c.png"))
    drawn = indices(tmp_path / "out" / "objects_colored" / "sub" / "c.png")
    assert np.array_equal((drawn != image).any(-1), ids > 0)
    record = (tmp_path / "out" / "predictions.json").read_text()
    entry = next(entry for entry in json.loads(record)["files"] if entry["name"] == "sub/c")
    assert (entry["objects"], entry["size"]) == (counts, [12, 16])
    (tmp_path / "out" / "objects" / "a.png").unlink()
    predict(*options)
    assert (tmp_path / "out" / "objects" / "a.png").exists()
    assert (tmp_path / "out" / "predictions.json").read_text() == record
    with pytest.raises(ValueError, match=r"min_object was 2, is 3"):
        predict(*options, "min_object=3")


def test_several_checkpoints_are_averaged(tmp_path, photos, predict):
    other = checkpoint(tmp_path / "other.ckpt", seed=1)
    predict(f"ckpt=[{tmp_path / 'best.ckpt'},{other}]", "probabilities=true", f"output={tmp_path / 'both'}")
    for path in (tmp_path / "best.ckpt", other):
        predict(f"ckpt={path}", "probabilities=true", f"output={tmp_path / path.stem}")
    found = [np.load(tmp_path / name / "probabilities" / "a.npy") for name in ("both", "best", "other")]
    assert np.abs(found[0] - (found[1].astype(np.float32) + found[2]) / 2).max() < 2e-3


def test_what_is_there_is_kept_and_the_rest_is_done(tmp_path, photos, predict, capsys):
    predict()
    kept, again = tmp_path / "out" / "a.png", tmp_path / "out" / "b.png"
    times = kept.stat().st_mtime_ns
    again.unlink()
    (tmp_path / "out" / "overlays" / "sub" / "c.jpg").unlink()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(photos / "sub" / "a.png")  # another picture of that name
    capsys.readouterr()
    predict()
    told = capsys.readouterr().out
    assert "2 of 5 are there already" in told
    assert "3 files written" in told
    assert kept.stat().st_mtime_ns == times
    assert again.exists()
    assert (tmp_path / "out" / "overlays" / "sub" / "c.jpg").exists()
    assert indices(tmp_path / "out" / "sub" / "a.png").shape == (9, 9)


def test_other_options_do_not_mix_with_what_is_there(tmp_path, photos, predict):
    predict()
    before = indices(tmp_path / "out" / "a.png")
    with pytest.raises(ValueError, match=r"mirror was False, is True.*resume=false"):
        predict("mirror=true")
    other = checkpoint(tmp_path / "other.ckpt", seed=1)
    with pytest.raises(ValueError, match="checkpoints was"):
        predict(f"ckpt={other}")
    assert np.array_equal(indices(tmp_path / "out" / "a.png"), before)
    predict(f"ckpt={other}", "resume=false")
    assert not np.array_equal(indices(tmp_path / "out" / "a.png"), before)
    predict(f"ckpt={other}")


def test_a_stopped_overwriting_goes_on_without_the_old_masks(tmp_path, photos, predict, monkeypatch):
    predict()
    other = checkpoint(tmp_path / "other.ckpt", seed=1)
    save, count = outputs.Outputs.save, iter(range(9))

    def failing(*args: object) -> None:
        if next(count) == 2:
            raise KeyboardInterrupt
        save(*args)

    monkeypatch.setattr(outputs.Outputs, "save", failing)
    with pytest.raises(SystemExit, match="130"):
        predict(f"ckpt={other}", "resume=false")
    monkeypatch.undo()
    predict(f"ckpt={other}")
    predict(f"ckpt={other}", f"output={tmp_path / 'fresh'}")
    for name in ("a", "b", "grey", "sub/a", "sub/c"):
        assert np.array_equal(indices(tmp_path / "out" / f"{name}.png"), indices(tmp_path / "fresh" / f"{name}.png"))


def test_masks_of_somebody_else_are_not_overwritten(tmp_path, photos, predict):
    (tmp_path / "out").mkdir()
    Image.fromarray(np.zeros((20, 16), np.uint8)).save(tmp_path / "out" / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is there and not a prediction"):
        predict()
    predict("resume=false")


def test_bad_files_are_named_and_the_others_written(tmp_path, photos, predict, capsys):
    (photos / "page.png").write_text("<html></html>")
    (photos / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"1 of 6 files could not be predicted:\n  .*page\.png cannot be read"):
        predict()
    assert "notes.txt" in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "predictions.json").read_text())
    status = {entry["name"]: entry["status"] for entry in record["files"]}
    written = dict.fromkeys(["a", "b", "grey", "sub/a", "sub/c"], "written")
    assert status == {**written, "page": "failed", "notes": "ignored"}
    with pytest.raises(ValueError, match=r"page\.png"):
        predict("strict=true", f"output={tmp_path / 'strict'}")
    assert files(tmp_path / "strict") == ["predictions.json"]


def test_outputs_that_would_meet_are_refused_before_anything_is_written(tmp_path, photos, predict):
    (photos / "a.jpg").write_bytes((photos / "grey.jpg").read_bytes())
    with pytest.raises(ValueError, match=r"a\.jpg and .*a\.png -> .*out/a\.png"):
        predict()
    assert files(tmp_path / "out") == []
    with pytest.raises(ValueError, match=r"all of it lies in output=.*photos: choose another output"):
        predict(f"input={photos / '*.png'}", f"output={photos}")


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (("ckpt=none.ckpt",), "none.ckpt: there is no such file"),
        (("input=none",), "none: there is no such file or folder"),
        (("output={root}/best.ckpt",), "best.ckpt: cannot be written to"),
        (("allow=[]",), "asks for 'torch.nn.Conv2d'"),
        (("scales=[]",), "scales="),
        (("ckpt={root}/photos/a.png",), "not a checkpoint"),
    ],
)
def test_mistakes_end_in_a_sentence(tmp_path, photos, predict, overrides, reason):
    with pytest.raises(ValueError, match=reason):
        predict(*(override.format(root=tmp_path) for override in overrides))


def test_a_folder_that_becomes_full_leaves_no_half_file(tmp_path, photos, predict, monkeypatch):
    def full(self, path, *args, **kwargs):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(ValueError, match=r"a\.jpg: cannot be written \(No space left on device\)"):
        predict()
    assert files(tmp_path / "out") == ["predictions.json"]


def test_probabilities_that_do_not_fit_on_the_disk_end_in_a_sentence(tmp_path, photos, predict, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prediction._Array, "write", full)
    with pytest.raises(ValueError, match=r"a\.npy: cannot be written \(No space left on device\)"):
        predict("probabilities=true")
    assert files(tmp_path / "out") == ["predictions.json"]


def test_a_file_for_which_memory_does_not_suffice_is_named_and_the_others_are_written(photos, predict, monkeypatch):
    def starved(self, images, size):
        if size == (12, 16):
            raise torch.OutOfMemoryError("no room")
        return plenty(self, images, size)

    plenty = Ensemble.__call__
    monkeypatch.setattr(Ensemble, "__call__", starved)
    with pytest.raises(ValueError, match=r"2 of 5 files .*\n.*b\.png: out of memory even with 12x16"):
        predict()


def test_the_command_fails_with_one_line(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["predict", f"ckpt={tmp_path / 'none.ckpt'}", f"input={photos}", "output=out"])
    with pytest.raises(SystemExit, match="1"):
        command.main()
    assert capsys.readouterr().err == f"error: ckpt={tmp_path / 'none.ckpt'}: there is no such file\n"
    monkeypatch.setattr(sys, "argv", ["predict", f"ckpt={tmp_path / 'none.ckpt'}", f"input={photos}"])
    with pytest.raises(SystemExit, match="1"):
        command.main()
    assert capsys.readouterr().err.startswith("error: output=... is missing")
