import json
from functools import partial

import pytest

from src.data.scenes import Scenes
from src.data.splits import Splits
from src.data.weak.clicks import Clicks
from src.data.weak.weak import Weak

OPTIONS = {"resolution": (24, 32), "lengths": {"train": 1, "val": 1}}
CLICKED = partial(Weak, mark=Clicks())


def test_only_the_training_is_weak_and_all_splits_are_in_the_new_classes() -> None:
    splits = Splits(Scenes, OPTIONS, {"sky": None}, None, CLICKED)
    train, val = splits(split="train"), splits(split="val")
    assert train.describe() == val.describe()
    assert "sky" not in val.describe().classes
    assert (train[0].mask != 255).sum() < 30 < (val[0].mask != 255).sum()


def test_what_is_asked_for_distinguishes_the_decoded_samples() -> None:
    several = [
        Splits(Scenes, OPTIONS),
        Splits(partial(Scenes, rooms=1.0), OPTIONS, {"sky": None}),
        Splits(Scenes, OPTIONS, {"sky": "sky"}, "class"),
        Splits(Scenes, OPTIONS, {"sky": "sky"}, "unknown"),
        Splits(Scenes, OPTIONS, weak=CLICKED),
        Splits(Scenes, OPTIONS, weak=partial(Weak, mark=Clicks(per_object=2))),
    ]
    assert len({splits.identity("train") for splits in several}) == len(several)
    assert several[0].identity("train") == Splits(Scenes, OPTIONS).identity("train") != several[0].identity("val")
    assert several[0].identity("val") == several[4].identity("val")  # the clicks are the training's alone
    assert "0x" not in several[4].identity("train")  # an address in memory would be another one in each process


def test_the_rest_of_nothing() -> None:
    with pytest.raises(ValueError, match=r"data\.other=class is for classes that data\.label_map does not list"):
        Splits(Scenes, OPTIONS, None, "class")


def test_a_training_from_spread_clicks_in_other_classes(run) -> None:
    words = [
        "data/weak=clicks",
        "data.weak.superpixels=20",
        "data.label_map={box: box, cone: cone}",
        "data.other=class",
    ]
    folder = run(*words, "transform=none")
    scored = json.loads((folder / "results.json").read_text())["test"]
    assert {key for key in scored if key.startswith("iou/")} == {"iou/other", "iou/box", "iou/cone"}
