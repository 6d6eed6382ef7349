"""Two folders of masks against each other: the figures, and every mistake by file."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src import score as module
from src.run import cli
from src.score import compare, described, score

TWO, THREE = described(2), described(3)


def save(path: Path, values: list[list[int]], kind: type = np.uint8, palette: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.array(values, kind)
    if path.suffix == ".npy":
        np.save(path, array)
        return path
    image = Image.fromarray(array)
    if palette:
        image.putpalette([9, 8, 7] * 256)
    image.save(path)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "prediction", tmp_path / "target"


def test_figures_whatever_kind_of_file(folders: tuple[Path, Path]) -> None:
    """Indices, palettes, 16 bits and arrays, in folders within folders, matched without the ending."""
    prediction, target = folders
    save(prediction / "a.png", [[0, 1], [2, 2]], palette=True)
    save(target / "a.tif", [[0, 1], [2, 255]])
    save(prediction / "deep/b.npy", [[1, 1, 1]], np.int64)
    save(target / "deep/b.png", [[0, 1, 1]], np.uint16)
    found = compare(prediction, target, THREE)
    assert found["images"] == 2
    assert found["confusion"] == [[1, 1, 0, 0], [0, 3, 0, 0], [0, 0, 1, 0]]
    scores = found["scores"]
    assert next(iter(scores)) == "score"
    assert scores["score"] == scores["miou"] == pytest.approx((1 / 2 + 3 / 4 + 1) / 3)
    assert (scores["iou/0"], scores["iou/1"], scores["iou/2"]) == (0.5, 0.75, 1)
    assert scores["accuracy"] == pytest.approx(5 / 6)


def test_unknown_is_mapped_first_and_wrong_in_a_prediction(folders: tuple[Path, Path]) -> None:
    """ignore_index is within the range here: 0 is unlabelled, classes 1 and 2 remain."""
    prediction, target = folders
    save(prediction / "a.png", [[1, 2, 0, 1, 2]])
    save(target / "a.png", [[1, 2, 1, 0, 2]])
    found = compare(prediction, target, THREE, ignore_index=0)
    assert found["confusion"] == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 2, 0]]
    assert found["scores"]["miou"] == 0.75
    assert compare(prediction, target, THREE, void=0)["confusion"] == found["confusion"]
    assert compare(prediction, target, THREE, ignore_index=0, absent="one")["scores"]["miou"] == pytest.approx(2.5 / 3)


def test_255_is_no_class_where_something_else_is_unknown(folders: tuple[Path, Path]) -> None:
    prediction, target = folders
    save(prediction / "a.png", [[1, 1]])
    path = save(target / "a.png", [[1, 255]])
    with pytest.raises(ValueError, match=rf"1 problems.*\n{path} holds undeclared values: 255 in 1 pixels"):
        compare(prediction, target, THREE, ignore_index=11)


def test_every_bad_file_is_named_in_one_error(folders: tuple[Path, Path]) -> None:
    prediction, target = folders
    for name in ("good", "strange", "small", "only"):
        save(target / f"{name}.png", [[0, 1], [1, 9 if name == "strange" else 2]])
    for name in ("good", "strange", "small", "more"):
        save(prediction / f"{name}.png", [[0, 1]] if name == "small" else [[0, 1], [1, 3 if name == "strange" else 2]])
    (prediction / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand then nothing")
    save(target / "broken.png", [[0]])
    with pytest.raises(ValueError, match=r"^6 problems") as caught:
        compare(prediction, target, THREE)
    lines = str(caught.value).splitlines()[1:]
    assert lines[0] == f"missing: no prediction for {target / 'only.png'}"
    assert lines[1] == f"extra: no target for {prediction / 'more.png'}"
    assert lines[2].startswith(f"{prediction / 'broken.png'} cannot be read")
    assert lines[3].startswith(f"{prediction / 'small.png'} is 1x2 (height x width), its target")
    assert lines[4].startswith(f"{prediction / 'strange.png'} holds undeclared values: 3 in 1 pixels")
    assert lines[5].startswith(f"{target / 'strange.png'} holds undeclared values: 9 in 1 pixels")


def test_long_lists_are_cut_with_a_count(folders: tuple[Path, Path]) -> None:
    prediction, target = folders
    save(prediction / "a.png", [[0]])
    save(target / "a.png", [[0]])
    for index in range(module.SHOWN + 5):
        save(target / f"t{index}.png", [[0]])
    with pytest.raises(ValueError, match=r"^25 problems") as caught:
        compare(prediction, target, TWO)
    assert len(str(caught.value).splitlines()) == module.SHOWN + 2
    assert str(caught.value).endswith("... and 5 more")


@pytest.mark.parametrize("guilty", [0, 1], ids=["prediction", "target"])
def test_nothing_but_0_and_255_must_be_explained(folders: tuple[Path, Path], guilty: int) -> None:
    save(folders[guilty] / "a.png", [[0, 255, 255]])
    save(folders[1 - guilty] / "a.png", [[0, 1, 1]])
    with pytest.raises(ValueError, match=f"{folders[guilty]}: .* nothing but 0, 255.*values=binary.*void=255"):
        compare(*folders, TWO)
    assert compare(*folders, TWO, values="binary")["scores"]["accuracy"] == 1
    expected = 1 / 3 if guilty == 0 else 1  # a prediction that says unknown is wrong, a target that does is left out
    assert compare(*folders, TWO, void=255)["scores"]["accuracy"] == pytest.approx(expected)


def test_0_and_255_among_others_are_plain(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        save(folder / "a.png", [[0, 255]] if folder == folders[1] else [[0, 1]])
        save(folder / "b.png", [[0, 1]])
    assert compare(*folders, TWO)["confusion"] == [[2, 0, 0], [0, 1, 0]]


def test_suffix_of_the_targets(folders: tuple[Path, Path]) -> None:
    prediction, target = folders
    save(prediction / "city/a.png", [[0, 1]])
    save(target / "city/a_ids.png", [[0, 1]])
    save(target / "city/a_color.png", [[77, 78]])
    assert compare(prediction, target, TWO, suffix="_ids")["images"] == 1
    with pytest.raises(ValueError, match="no masks whose names end in '_train'"):
        compare(prediction, target, TWO, suffix="_train")


def test_folders_that_cannot_be_compared(folders: tuple[Path, Path]) -> None:
    prediction, target = folders
    with pytest.raises(ValueError, match=f"{prediction}: there is no such folder"):
        compare(prediction, target, TWO)
    prediction.mkdir()
    with pytest.raises(ValueError, match=f"{prediction}: no masks; looked for .png"):
        compare(prediction, target, TWO)
    save(prediction / "a.png", [[0]])
    save(prediction / "a.npy", [[0]])
    with pytest.raises(ValueError, match="have one name: keep one of them"):
        compare(prediction, target, TWO)


def test_classes_by_number_by_name_or_by_meaning() -> None:
    assert described(2).classes == ("0", "1")
    assert described(None, ["road", "car"]).classes == ("road", "car")
    assert described(None, None, "binary").num_classes == 2
    for wrong in ((None,), (0,), (3, ["road", "car"]), (3, None, "binary")):
        with pytest.raises(ValueError, match="num_classes="):
            described(*wrong)


@pytest.mark.parametrize("options", [{"values": "ternary"}, {"values": "binary", "void": 255}, {"absent": "skip"}])
def test_options_that_mean_nothing(folders: tuple[Path, Path], options: dict[str, object]) -> None:
    for folder in folders:
        save(folder / "a.png", [[0]])
    with pytest.raises(ValueError, match=next(iter(options))):
        compare(*folders, TWO, **options)


def test_command_prints_the_table_and_writes_the_file(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in folders:
        save(folder / "a.png", [[0, 1]])
    words = ["classes=[road,car,sky]", f"prediction={folders[0]}", f"target={folders[1]}"]
    output = tmp_path / "deep" / "scores.json"
    assert score(cli.compose("score", [*words, f"output={output}"])) == 1
    printed = capsys.readouterr().out
    assert "road" in printed
    assert "absent" in printed
    written = json.loads(output.read_text())
    assert (written["miou"], written["iou/road"], written["iou/sky"], written["images"]) == (1, 1, None, 1)
    assert written["confusion"] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot be written to"):
        score(cli.compose("score", [*words, f"output={tmp_path / 'file' / 'scores.json'}"]))


def test_config_has_the_defaults_of_the_function() -> None:
    config = cli.compose("score", ["prediction=p", "target=t"])
    for name, parameter in inspect.signature(compare).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert config[name] == parameter.default, name


def test_camvid_against_itself(shared: Path) -> None:
    folder = shared / "camvid-sample"
    target = next(path for path in sorted(folder.rglob("valannot")) if path.is_dir())
    found = compare(target, target, described(11), ignore_index=11)
    assert found["scores"]["miou"] == 1
    assert found["images"] == len(list(target.glob("*.png")))


def test_coco_results_are_scored_against_annotations(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    box = {"image_id": 1, "category_id": 5, "bbox": [1, 2, 30, 40]}
    images = [{"id": 1, "height": 90, "width": 90}, {"id": 2, "height": 90, "width": 90}]
    truth = {"images": images, "annotations": [{"id": 1, **box}], "categories": [{"id": 5, "name": "cat"}]}
    paths = {
        "prediction": tmp_path / "results.json",
        "target": tmp_path / "truth.json",
        "output": tmp_path / "out.json",
    }
    paths["prediction"].write_text(json.dumps([{**box, "score": 0.5}]))
    paths["target"].write_text(json.dumps(truth))

    def scored(**more: object) -> float:
        return score(cli.compose("score", [f"{key}={value}" for key, value in (paths | more).items()]))

    assert scored() == pytest.approx(1)
    told = capsys.readouterr().out
    assert "1 of 2 images have no result" in told
    assert "cat" in told
    found = json.loads(paths["output"].read_text())
    assert found["score"] == found["box/ap"] == found["box/ap/cat"] == pytest.approx(1)
    assert (found["images"], found["results"], found["empty"], found["box/ap_large"]) == (2, 1, 1, None)
    with pytest.raises(ValueError, match=r"num_classes=2: is about masks, and .* holds objects"):
        scored(num_classes=2)
    with pytest.raises(ValueError, match=r"is compared with an annotation file of COCO, target=FILE\.json"):
        scored(target=tmp_path)
    with pytest.raises(ValueError, match=r"prediction=.*none\.json: cannot be read"):
        scored(prediction=tmp_path / "none.json")
