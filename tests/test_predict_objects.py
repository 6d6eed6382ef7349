"""Objects as files, through the command's own entry points; the detector's answers are made up."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco

from src import predict as command
from src.data.datamodule import DataModule
from src.data.sample import Instances
from src.evaluate import evaluate
from src.model.detector.rcnn import Rcnn
from src.run import cli
from src.run.build import build, plain
from src.run.check import check
from src.run.inference import session
from src.run.restore import assembled
from src.score import score

SIZE = (24, 32)  # of the photos, height and width
BOX = 5  # indices of classes of the scenes
CONE = 8
Predict = Callable[..., None]


def objects(size: tuple[int, int], keypoints: int = 0, masks: bool = True) -> Instances:
    """A sure box in the left half, a small cone over it, and one more box that is hardly there."""
    height, width = size
    shares = torch.tensor([[0, 0, 0.5, 1], [0.25, 0.25, 0.75, 0.5], [0.5, 0.5, 1, 1]])
    boxes = shares * torch.tensor([width, height, width, height])
    drawn = torch.zeros(3, height, width)
    for mask, (left, top, right, bottom) in zip(drawn, boxes.round().int().tolist(), strict=True):
        mask[top:bottom, left:right] = 1
    points = torch.stack([boxes[:, 0] + 1, boxes[:, 1] + 2, torch.ones(3)], 1)[:, None].expand(-1, keypoints, -1)
    return Instances(
        boxes=boxes,
        labels=torch.tensor([0, 3, 0]),  # among the countable
        masks=drawn if masks else None,
        keypoints=points if keypoints else None,
        scores=torch.tensor([0.9, 0.625, 0.25]),
    )


def checkpoint(path: Path, task: str = "instance", *overrides: str) -> Path:
    """A run's best.ckpt as src.train would have left it, for the scenes."""
    words = [f"task={task}", "data.resolution=[48,64]", "data.lengths={train: 1, val: 4}", "data.cache=none"]
    config = plain(cli.compose("train", [*words, "trainer.precision=32-true", "model.box.width=8", *overrides]))
    data = module(config)
    state = assembled(config, data.description).state_dict()
    torch.save({"state_dict": state, "config": config, "description": data.description.plain()}, path)
    return path


def module(config: dict) -> DataModule:
    return build(config["data"], transform=build(config["transform"]), fields=("image", "instances"))


@pytest.fixture(scope="session")
def ckpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("ckpt") / "best.ckpt")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three images of two sizes in two folders."""
    rng = np.random.default_rng(0)
    for name, size in (("a", SIZE), ("b", (12, 16)), ("sub/c", SIZE)):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
    return tmp_path / "photos"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Detectors answer with `objects`; the sizes of the batches they were given."""
    batches: list[tuple[int, ...]] = []

    def forward(
        self: Rcnn, images: Sequence[torch.Tensor], targets: object = None, sizes: Sequence[tuple[int, int]] = ()
    ) -> list[Instances]:
        batches.append((len(images), *images[0].shape[-2:]))
        keypoints = 17 if hasattr(self, "keypoint") else 0
        return [objects(size, keypoints, self.masks) for size in sizes]

    monkeypatch.setattr(Rcnn, "forward", forward)
    return batches


@pytest.fixture
def predict(tmp_path: Path, photos: Path, seen: list, ckpt: Path) -> Predict:
    """Runs the command on photos/, with a checkpoint; the overrides given come last."""

    def run(*overrides: str) -> None:
        given = {"ckpt": str(ckpt), "input": str(photos), "output": str(tmp_path / "out")}
        given |= {"trainer.accelerator": "cpu"} | dict(override.split("=", 1) for override in overrides)
        config = cli.compose("predict", [f"{key}={value}" for key, value in given.items()])
        check(plain(config), "predict")
        command.predict(config)

    return run


def array(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def read(path: Path) -> list | dict:
    return json.loads(path.read_text())


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_results_masks_and_overlays_are_written_for_files_of_any_size(tmp_path: Path, predict: Predict) -> None:
    predict()
    names = ("a", "b", "sub/c")
    kinds = ("{}.png", "overlays/{}.jpg", "results/{}.json")
    expected = [kind.format(name) for name in names for kind in kinds]
    assert files(tmp_path / "out") == sorted([*expected, "predictions.json", "results.json"])
    found = read(tmp_path / "out" / "results.json")
    assert [(one["image_id"], one["file_name"], one["category_id"], one["category"]) for one in found] == [
        (image, name, category, label)
        for image, name in ((1, "a.png"), (2, "b.png"), (3, "sub/c.png"))
        for category, label in ((BOX, "box"), (CONE, "cone"))
    ]
    assert [one["score"] for one in found[:2]] == pytest.approx([0.9, 0.625])
    assert found[2]["bbox"] == [0, 0, 8, 12], "in pixels of the file"
    expected = np.zeros(SIZE, np.uint8)
    expected[6:12, 8:24] = 1
    assert np.array_equal(coco.decode(found[1]["segmentation"]), expected)
    mask = Image.open(tmp_path / "out" / "a.png")
    assert (mask.mode, mask.size) == ("P", SIZE[::-1])
    assert [np.array(mask)[place] for place in ((3, 3), (8, 10), (8, 20), (20, 20))] == [BOX, CONE, CONE, 255]
    assert read(tmp_path / "out" / "predictions.json")["files"][1] == {
        "input": str(tmp_path / "photos" / "b.png"),
        "name": "b",
        "status": "written",
        "size": [12, 16],
        "objects": {"box": 1, "sphere": 0, "cylinder": 0, "cone": 1},
    }


@pytest.mark.parametrize(
    ("overrides", "count"), [(("score_threshold=0",), 3), (("score_threshold=0.7",), 1), (("top_k=1",), 1)]
)
def test_the_threshold_and_the_number_decide_what_is_kept(
    tmp_path: Path, predict: Predict, overrides: tuple[str, ...], count: int
) -> None:
    predict(*overrides)
    found = read(tmp_path / "out" / "results.json")
    assert [one["score"] for one in found[:count]] == pytest.approx([0.9, 0.625, 0.25][:count])
    assert len(found) == 3 * count


def test_label_images_number_the_objects_and_crops_cut_them_out(tmp_path: Path, predict: Predict) -> None:
    predict("objects=true", "crops=true", "overlay=false")
    label = Image.open(tmp_path / "out" / "objects" / "sub" / "c.png")
    ids = np.array(label)
    assert label.mode == "I;16"
    assert [ids[place] for place in ((3, 3), (8, 10), (8, 20), (20, 20))] == [1, 1, 2, 0]
    image = array(tmp_path / "photos" / "sub" / "c.png")
    colored = array(tmp_path / "out" / "objects_colored" / "sub" / "c.png")
    assert np.array_equal((colored != image).any(-1), ids > 0)
    names = [name for name in files(tmp_path / "out") if name.startswith("crops/sub")]
    assert names == ["crops/sub/c_001_box.png", "crops/sub/c_002_cone.png"]
    crop = array(tmp_path / "out" / names[1])
    assert np.array_equal(crop[..., :3], image[6:12, 8:24])
    assert (crop[..., 3] == 255).all()
    assert not (tmp_path / "out" / "overlays").exists()


def test_keypoints_are_told_as_coco_counts_them_and_boxes_alone_make_no_map(tmp_path: Path, predict: Predict) -> None:
    path = checkpoint(tmp_path / "k.ckpt", "keypoint", "data.things=null")
    predict(f"ckpt={path}", "crops=true")
    found = read(tmp_path / "out" / "results.json")
    assert found[1]["keypoints"] == [8.5, 7.5, 1] * 17
    assert "segmentation" not in found[1]
    assert not (tmp_path / "out" / "a.png").exists()
    assert array(tmp_path / "out" / "crops" / "a_002_cone.png").shape == (6, 16, 4)
    before = read(tmp_path / "out" / "predictions.json")
    predict(f"ckpt={path}", "crops=true")
    assert read(tmp_path / "out" / "predictions.json") == before
    with pytest.raises(ValueError, match="objects=true: this checkpoint finds boxes and no masks"):
        predict(f"ckpt={path}", "objects=true", f"output={tmp_path / 'other'}")


def test_images_are_resized_as_in_training_and_batched_by_size(
    tmp_path: Path, predict: Predict, seen: list[tuple[int, ...]]
) -> None:
    predict()
    assert sorted(seen) == [(1, 12, 16), (2, *SIZE)]
    seen.clear()
    predict("data.size=[40,50]", "batch_size=1", f"output={tmp_path / 'large'}")
    assert seen == [(1, 40, 50)] * 3
    assert array(tmp_path / "large" / "a.png").shape == SIZE
    path = checkpoint(tmp_path / "sized.ckpt", "instance", "data.size=[20,30]")
    seen.clear()
    predict(f"ckpt={path}", "batch_size=1", f"output={tmp_path / 'sized'}")
    assert seen == [(1, 20, 30)] * 3


def test_masks_of_a_large_image_are_made_small_and_enlarged(tmp_path: Path, predict: Predict, monkeypatch) -> None:
    asked = []
    forward = Rcnn.forward

    def spied(self: Rcnn, images: object, targets: object = None, sizes: Sequence = ()) -> list[Instances]:
        asked.extend(sizes)
        return forward(self, images, targets, sizes)

    monkeypatch.setattr(Rcnn, "forward", spied)
    predict("objects=true")
    predict("tile_above=192", "objects=true", f"output={tmp_path / 'small'}")
    assert asked == [SIZE, SIZE, (12, 16), (12, 16), (12, 16), (12, 16)]
    for name in ("a.png", "objects/a.png"):
        assert np.array_equal(array(tmp_path / "out" / name), array(tmp_path / "small" / name))
    whole, enlarged = (
        [{**one, "bbox": np.round(one["bbox"], 3).tolist()} for one in read(tmp_path / name / "results.json")]
        for name in ("out", "small")
    )
    assert whole == enlarged


def test_what_is_there_is_kept_and_the_rest_is_done(tmp_path: Path, photos: Path, predict: Predict, capsys) -> None:
    options = ("crops=true", "objects=true")
    predict(*options)
    before = read(tmp_path / "out" / "results.json")
    record = (tmp_path / "out" / "predictions.json").read_text()
    time = (tmp_path / "out" / "a.png").stat().st_mtime_ns
    (tmp_path / "out" / "crops" / "b_002_cone.png").unlink()
    (tmp_path / "out" / "results" / "sub" / "c.json").unlink()
    capsys.readouterr()
    predict(*options)
    told = capsys.readouterr().out
    assert "1 of 3 are there already" in told
    assert "2 files written" in told
    assert read(tmp_path / "out" / "results.json") == before
    assert (tmp_path / "out" / "predictions.json").read_text() == record
    assert (tmp_path / "out" / "a.png").stat().st_mtime_ns == time
    assert (tmp_path / "out" / "crops" / "b_002_cone.png").exists()


def test_other_options_do_not_mix_and_overwriting_leaves_no_crop_behind(tmp_path: Path, predict: Predict) -> None:
    predict("crops=true")
    with pytest.raises(ValueError, match=r"score_threshold was 0\.5, is 0\.7.*resume=false"):
        predict("crops=true", "score_threshold=0.7")
    predict("crops=true", "score_threshold=0.7", "resume=false")
    crops = [name for name in files(tmp_path / "out") if name.startswith("crops/")]
    assert crops == [f"crops/{name}_001_box.png" for name in ("a", "b", "sub/c")]
    assert len(read(tmp_path / "out" / "results.json")) == 3


@pytest.mark.parametrize(("name", "content"), [("a.png", b""), ("results/a.json", b"[]")])
def test_files_of_somebody_else_are_not_overwritten(
    tmp_path: Path, predict: Predict, name: str, content: bytes
) -> None:
    (tmp_path / "out" / "results").mkdir(parents=True)
    (tmp_path / "out" / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is there and not a prediction of src\.predict"):
        predict()
    predict("resume=false")


def test_bad_files_are_named_and_the_results_hold_the_others(tmp_path: Path, photos: Path, predict: Predict) -> None:
    (photos / "page.png").write_text("<html></html>")
    with pytest.raises(ValueError, match=r"1 of 4 files could not be predicted:\n  .*page\.png cannot be read"):
        predict()
    assert {one["file_name"] for one in read(tmp_path / "out" / "results.json")} == {"a.png", "b.png", "sub/c.png"}
    with pytest.raises(ValueError, match=r"page\.png"):
        predict("strict=true", f"output={tmp_path / 'strict'}")
    assert read(tmp_path / "strict" / "results.json") == []


def test_less_is_done_at_once_where_memory_runs_out(tmp_path: Path, predict: Predict, monkeypatch, capsys) -> None:
    forward, limit = Rcnn.forward, {"images": 1}

    def starved(self: Rcnn, images: Sequence, targets: object = None, sizes: Sequence = ()) -> list[Instances]:
        if len(images) > limit["images"]:
            raise torch.OutOfMemoryError("no room")
        return forward(self, images, targets, sizes)

    monkeypatch.setattr(Rcnn, "forward", starved)
    predict()
    assert "out of memory with 2 at once: going on with 1" in capsys.readouterr().out
    assert len(read(tmp_path / "out" / "results.json")) == 6
    limit["images"] = 0
    with pytest.raises(ValueError, match=r"a\.png: out of memory even with one image of 24x32: say a smaller"):
        predict(f"output={tmp_path / 'none'}")


@pytest.mark.parametrize(
    "option",
    ["tile=64", "mirror=true", "scales=[1,2]", "probabilities=true", "one_hot=true", "min_object=3"],
)
def test_options_of_maps_are_refused(tmp_path: Path, predict: Predict, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option.partition('=')[0]}=.*the checkpoint finds objects, and this is of"):
        predict(option)
    assert files(tmp_path / "out") == []


def test_several_checkpoints_and_a_watershed_are_refused(predict: Predict, ckpt: Path) -> None:
    with pytest.raises(ValueError, match="2 checkpoints, and one of them finds objects"):
        predict(f"ckpt=[{ckpt},{ckpt}]")
    with pytest.raises(ValueError, match="objects=watershed: the checkpoint's objects are told apart already"):
        predict("objects=watershed")


def test_options_of_objects_are_refused_for_maps() -> None:
    from src.run.inference.kind import finds_objects
    from src.task.semantic import Semantic

    task = Semantic.__new__(Semantic)
    for option, value in (("crops", True), ("coco", "a.json"), ("top_k", 5), ("score_threshold", 0.1)):
        with pytest.raises(ValueError, match=rf"{option}={value}: the checkpoint makes maps"):
            finds_objects([task], {option: value})
    assert not finds_objects([task], {"mirror": True, "tile": 5})


def annotations(path: Path, data: DataModule, files: dict[str, int]) -> Path:
    """The scenes' objects as an annotation file, under ids of its own."""
    split, names = data.split("val"), data.description.classes
    content = {"images": [], "annotations": []}
    content["categories"] = [{"id": 100 + index, "name": names[index]} for index in data.description.countable]
    for index, (name, number) in enumerate(files.items()):
        there = split[index].instances
        height, width = there.masks.shape[1:]
        content["images"].append({"id": number, "file_name": name, "height": height, "width": width})
        for box, label, mask in zip(there.boxes.tolist(), there.labels.tolist(), there.masks, strict=True):
            runs = coco.encode(np.asfortranarray(mask.numpy().astype(np.uint8)))
            content["annotations"].append(
                {"id": len(content["annotations"]) + 1, "image_id": number, "category_id": 100 + label}
                | {"bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]], "area": int(mask.sum())}
                | {"segmentation": {"size": [height, width], "counts": runs["counts"].decode()}, "iscrowd": 0}
            )
    path.write_text(json.dumps(content))
    return path


def test_the_results_score_what_the_evaluation_says(tmp_path: Path, ckpt: Path, predict: Predict, monkeypatch) -> None:
    """The detector tells most of what is there, a little beside it, and its own guesses."""
    data = module(torch.load(ckpt, weights_only=True)["config"])
    split, files = data.split("val"), {}
    images = tmp_path / "val"
    images.mkdir()
    known = {}
    for index in range(4):
        sample = split[index]
        Image.fromarray(sample.image.permute(1, 2, 0).numpy()).save(images / f"{index}.png")
        files[f"{index}.png"] = 40 - index
        known[int(sample.image.sum())] = sample.instances
    countable = list(data.description.countable)

    def forward(self: Rcnn, images: Sequence, targets: object = None, sizes: Sequence = ()) -> list[Instances]:
        found = []
        for image, size in zip(images, sizes, strict=True):
            there, guess = known[int((image * 255).round().sum())], objects(size)
            labels = [countable.index(label) for label in there.labels.tolist()]
            # no two scores are equal: the order of the ids would decide between them
            scores = torch.linspace(0.95, 0.3, len(labels) + 3) + float(image[0, 0, 0]) / 50 + len(labels) / 999
            masks = torch.cat([there.masks.roll(1, 2).float(), guess.masks])
            boxes = torch.cat([torch.as_tensor(there.boxes) + torch.tensor([1.0, 0, 1, 0]), guess.boxes])
            labels = torch.cat([torch.tensor(labels, dtype=torch.int64), guess.labels])
            found.append(Instances(boxes, labels, masks, scores=scores))
        return found

    monkeypatch.setattr(Rcnn, "forward", forward)
    path = annotations(tmp_path / "truth.json", data, files)
    predict(f"input={images}", "score_threshold=0", f"coco={path}")
    found = read(tmp_path / "out" / "results.json")
    assert {(one["image_id"], one["file_name"]) for one in found} == {(id, name) for name, id in files.items()}
    assert {one["category_id"] for one in found} <= {100 + index for index in countable}
    words = [f"prediction={tmp_path / 'out' / 'results.json'}", f"target={path}", f"output={tmp_path / 'scored.json'}"]
    config = cli.compose("score", words)
    check(plain(config), "score")
    value = score(config)
    words = [f"ckpt={ckpt}", "trainer.accelerator=cpu", "pictures=2", f"output={tmp_path / 'evaluated.json'}"]
    config = cli.compose("evaluate", words)
    check(plain(config), "evaluate")
    assert evaluate(config) == pytest.approx(value, abs=1e-9)
    scored, evaluated = read(tmp_path / "scored.json"), read(tmp_path / "evaluated.json")
    shared = [key for key in scored if key.startswith(("ap", "ar", "box/"))]
    assert {key: evaluated[key] for key in shared} == pytest.approx({key: scored[key] for key in shared}, abs=1e-9)
    assert 0.05 < scored["ap"] < 1
    assert len(shared) > 20
    assert (tmp_path / "pictures" / "val.png").is_file()


def test_an_annotation_file_that_lacks_an_image_is_refused_before_anything_is_written(
    tmp_path: Path, ckpt: Path, predict: Predict
) -> None:
    data = module(torch.load(ckpt, weights_only=True)["config"])
    path = annotations(tmp_path / "truth.json", data, {"a.png": 1, "b.png": 2})
    with pytest.raises(ValueError, match=r"has no image of the name of .*sub/c\.png"):
        predict(f"coco={path}")
    assert files(tmp_path / "out") == []
    with pytest.raises(ValueError, match=r"coco=.*none\.json: there is no such file"):
        predict(f"coco={tmp_path / 'none.json'}")


@pytest.mark.parametrize("option", ["mirror=true", "scales=[0.5]", "ckpt=[{0},{0}]"])
def test_an_evaluation_sees_each_image_once(ckpt: Path, option: str) -> None:
    words = [f"ckpt={ckpt}", "trainer.accelerator=cpu", option.format(ckpt)]
    with pytest.raises(ValueError, match="finds objects"):
        evaluate(cli.compose("evaluate", words))


def test_an_interrupted_command_has_the_results_so_far(tmp_path: Path, predict: Predict, monkeypatch) -> None:
    save, count = session.Detections.__call__, iter(range(9))

    def failing(*args: object) -> dict:
        if next(count) == 1:
            raise KeyboardInterrupt
        return save(*args)

    monkeypatch.setattr(session.Detections, "__call__", failing)
    with pytest.raises(SystemExit, match="130"):
        predict("batch_size=1")
    assert len(read(tmp_path / "out" / "results.json")) == 2
    monkeypatch.undo()


def test_a_detector_trains_evaluates_and_predicts(tmp_path: Path, photos: Path, run: Callable[..., Path]) -> None:
    """No answer is made up here."""
    narrow = ["model.box.width=8", "model.keypoint.width=8", "model.mask.width=8", "model.keypoint.layers=1"]
    folder = run("task=keypoint", "data.people=2.0", "model.masks=true", "data.batch_size=4", *narrow)
    words = [f"ckpt={folder / 'checkpoints' / 'best.ckpt'}", f"input={photos}", f"output={tmp_path / 'out'}"]
    options = ["score_threshold=0", "top_k=3", "objects=true", "crops=true", "trainer.accelerator=cpu"]
    command.predict(cli.compose("predict", [*words, *options]))
    record = read(tmp_path / "out" / "predictions.json")
    assert [entry["status"] for entry in record["files"]] == ["written"] * 3
    found = read(tmp_path / "out" / "results.json")
    assert all(len(one["keypoints"]) == 51 for one in found)
    assert array(tmp_path / "out" / "objects" / "b.png").shape == (12, 16)
