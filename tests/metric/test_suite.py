"""The collections: keys, one shared count, and everything people do with a MetricCollection."""

import copy
import pickle

import pytest
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassJaccardIndex

from src.data.description import Description
from src.metric import confusion
from src.metric.suite import flat, semantic

KEYS = ["miou", "dice", "accuracy", "mean_accuracy", "fw_iou", "miou_things", "miou_stuff", "iou", "confusion"]


def description(multilabel: bool = False, things: tuple[str, ...] | None = ("car", "sign")) -> Description:
    classes = ("road", "car", "sky", "sign")
    return Description(("image", "mask"), classes, ((0, 0, 0),) * 4, things, multilabel=multilabel)


def maps(seed: int = 0, shape: tuple[int, ...] = (3, 5, 4), classes: int = 3) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    output, target = torch.randint(0, classes, (2, *shape), generator=draw)
    target[torch.rand(shape, generator=draw) < 0.2] = 255
    return output, target


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return list(one) == list(other) and all(torch.allclose(one[key], other[key], equal_nan=True) for key in one)


def test_keys_headline_first() -> None:
    assert list(semantic(description())) == KEYS
    plain = semantic(description(things=None), per_image=True)
    assert list(plain) == [*KEYS[:5], *KEYS[7:], "miou_per_image"]
    assert "miou_things" not in semantic(description(things=()))


def test_counted_once_for_all_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(confusion, "count", lambda *args, count=confusion.count: calls.append(1) or count(*args))
    suite = semantic(description())
    for _ in range(3):
        suite.update(*maps())
    assert len(calls) == 3
    suite.compute()
    assert len(calls) == 3


def test_update_after_compute_and_after_reset() -> None:
    suite, fresh = semantic(description()), semantic(description())
    suite.update(*maps(0))
    first = suite.compute()
    suite.update(*maps(1))
    assert not same(first, suite.compute())
    suite.reset()
    suite.update(*maps(1))
    fresh.update(*maps(1))
    assert same(suite.compute(), fresh.compute())
    assert suite["confusion"].counts.sum() == maps()[0].numel()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)), lambda s: s.clone()])
def test_copies_go_their_own_way(duplicate) -> None:
    suite = semantic(description(), per_image=True)
    suite.update(*maps(0))
    other = duplicate(suite)
    assert same(other.compute(), suite.compute())
    before = suite.compute()
    other.update(*maps(1))
    assert same(suite.compute(), before)
    suite.update(*maps(1))
    assert same(suite.compute(), other.compute())


def test_state_dict_goes_over_when_made_persistent() -> None:
    suite, other = semantic(description()), semantic(description())
    assert suite.state_dict() == {}
    for collection in (suite, other):
        collection.persistent(True)
    suite.update(*maps(0))
    other.load_state_dict(suite.state_dict())
    suite.update(*maps(1))
    other.update(*maps(1))
    assert same(suite.compute(), other.compute())


def test_forward_gives_the_batch_and_keeps_the_whole() -> None:
    suite, one, both = (semantic(description()) for _ in range(3))
    suite.update(*maps(0))
    one.update(*maps(1))
    both.update(*maps(0))
    both.update(*maps(1))
    assert same(suite(*maps(1)), one.compute())
    assert same(suite.compute(), both.compute())


@pytest.mark.parametrize(("absent", "expected"), [("exclude", 1.0), ("zero", 0.25), ("one", 1.0)])
def test_absent_reaches_every_mean(absent: str, expected: float) -> None:
    suite = semantic(description(), absent=absent)
    suite.update(torch.zeros(1, 2, 2, dtype=torch.uint8), torch.zeros(1, 2, 2, dtype=torch.uint8))
    found = suite.compute()
    for name in ("miou", "dice", "mean_accuracy"):
        assert found[name] == expected, name
    assert found["iou"].isnan().tolist() == [False, True, True, True]


def test_things_and_stuff() -> None:
    suite = semantic(description())
    suite.update(torch.tensor([[[0, 1, 2, 3, 3]]]), torch.tensor([[[0, 1, 2, 3, 2]]]))
    found = suite.compute()
    assert found["iou"].tolist() == [1, 1, 0.5, 0.5]
    assert (found["miou_things"], found["miou_stuff"]) == (0.75, 0.75)
    suite.update(torch.tensor([[[1]]]), torch.tensor([[[0]]]))
    found = suite.compute()
    assert (found["miou_things"], found["miou_stuff"]) == (0.5, 0.5)


def test_per_image_is_another_number() -> None:
    """One image is all right, one half wrong, one all unknown; the whole set weighs pixels instead."""
    target = torch.zeros(3, 1, 4, dtype=torch.long)
    output = target.clone()
    output[1, 0, :2] = 1
    target[2] = 255
    suite = semantic(description(), per_image=True)
    suite.update(output, target)
    found = suite.compute()
    assert found["miou_per_image"] == pytest.approx((1 + (0.5 + 0) / 2) / 2)
    assert found["miou"] == pytest.approx((6 / 8 + 0) / 2)


def test_metrics_of_ones_own_see_the_same_maps() -> None:
    own = MulticlassJaccardIndex(4, ignore_index=255)
    suite = semantic(description(), extra={"aaa": own})
    assert next(iter(suite)) == "miou"
    for seed in range(2):
        suite.update(*maps(seed))
    found = suite.compute()
    assert found["aaa"].item() == pytest.approx(found["miou"].item(), abs=1e-6)
    suite.reset()
    assert own.confmat.sum() == 0


def test_refusals() -> None:
    with pytest.raises(ValueError, match="absent='skip': say one of exclude, zero, one"):
        semantic(description(), absent="skip")
    with pytest.raises(ValueError, match="its description names none"):
        semantic(Description(("image",)))
    with pytest.raises(ValueError, match="extra metrics may not be called iou"):
        semantic(description(), extra={"iou": MulticlassJaccardIndex(4)})


def test_nothing_known_is_nan() -> None:
    suite = semantic(description())
    suite.update(torch.zeros(1, 2, 2, dtype=torch.uint8), torch.full((1, 2, 2), 255, dtype=torch.uint8))
    found = suite.compute()
    assert all(found[name].isnan().all() for name in KEYS[:-1])
    assert found["confusion"].sum() == 0


def test_flat_names_classes_and_leaves_matrices_out() -> None:
    suite = semantic(description())
    suite.update(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 0]]]))
    numbers = flat(suite.compute() | {"own": torch.tensor([1.0, 2.0])}, description())
    assert list(numbers) == [*KEYS[:7], "iou/road", "iou/car", "iou/sky", "iou/sign", "own/0", "own/1"]
    assert (numbers["iou/road"], numbers["iou/car"], numbers["own/1"]) == (0.5, 0, 2)
    assert numbers["iou/sky"] != numbers["iou/sky"]
    assert all(type(value) is float for value in numbers.values())


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.bool])
def test_overlapping_masks(kind: torch.dtype) -> None:
    """Against the definitions, channel by channel."""
    output, target = maps(3, (3, 4, 5, 6), classes=2)
    suite = semantic(description(multilabel=True), per_image=True)
    for images in (slice(0, 2), slice(2, 3)):
        suite.update(output[images].to(kind), target[images])
    found = suite.compute()
    assert list(found) == [*[key for key in KEYS if key != "fw_iou"], "miou_per_image"]
    known, on, true = target != 255, output == 1, target == 1
    hit, either = (on & true & known), ((on | true) & known)
    whole, each = (0, 2, 3), (2, 3)
    ious = hit.sum(whole) / either.sum(whole)
    torch.testing.assert_close(found["iou"].float(), ious)
    assert found["miou"] == pytest.approx(ious.mean())
    assert found["dice"] == pytest.approx((2 * ious / (1 + ious)).mean())
    assert found["mean_accuracy"] == pytest.approx((hit.sum(whole) / (true & known).sum(whole)).mean())
    assert found["accuracy"] == pytest.approx((on == true)[known].float().mean())
    assert found["miou_per_image"] == pytest.approx((hit.sum(each) / either.sum(each)).mean())
    assert found["miou_things"] == pytest.approx(ious[[1, 3]].mean())
    assert found["confusion"].shape == (4, 2, 3)


def test_overlapping_masks_of_other_values_or_counts_are_refused() -> None:
    suite = semantic(description(multilabel=True))
    with pytest.raises(ValueError, match="1 pixels of the target are neither a class"):
        suite.update(torch.zeros(1, 4, 1, 1, dtype=torch.uint8), torch.tensor([0, 1, 255, 2]).view(1, 4, 1, 1))
    with pytest.raises(ValueError, match="3 channels in the output, 4 classes"):
        suite.update(torch.zeros(1, 3, 1, 1, dtype=torch.uint8), torch.zeros(1, 3, 1, 1, dtype=torch.uint8))
