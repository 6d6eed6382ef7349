"""What is kept of objects: any number of processes scores alike, and what does not fit is refused."""

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from faster_coco_eval.core import mask as rle
from torch import Tensor, multiprocessing

from src.data.description import Description
from src.data.sample import Instances
from src.metric.average_precision import average_precision
from src.metric.kept import Kept, encoded
from src.metric.objects import Objects
from src.metric.suite import instance

CLASSES = Description(("image", "instances"), ("sky", "cat", "dog"), ((0, 0, 0),) * 3, things=("cat", "dog"))
IMAGES = 7


def objects(seed: int, found: bool, height: int = 30, width: int = 40) -> Instances:
    """Up to five rectangles; scores are of few values, so that they tie."""
    draw = torch.Generator().manual_seed(seed)
    count = int(torch.randint(0, 6, (), generator=draw))
    corner = torch.rand(count, 2, generator=draw) * torch.tensor([width - 4, height - 4])
    size = 3 + torch.rand(count, 2, generator=draw) * (torch.tensor([width, height]) - corner - 3)
    boxes = torch.cat([corner, corner + size], 1).round()
    rows, columns = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    x0, y0, x1, y1 = boxes[:, :, None, None].unbind(1)
    masks = (rows > y0) & (rows < y1) & (columns > x0) & (columns < x1)
    scores = torch.randint(1, 5, (count,), generator=draw) / 5
    return Instances(
        boxes,
        torch.randint(1, 3, (count,), generator=draw),
        masks,
        crowd=None if found else torch.rand(count, generator=draw) < 0.2,
        scores=scores.sort(descending=True).values if found else None,
    )


def jittered(there: Instances, seed: int) -> Instances:
    """Found: what is there, moved by some pixels, and something else."""
    draw = torch.Generator().manual_seed(100 + seed)
    more, step = objects(seed + 50, found=True), int(torch.randint(0, 4, (), generator=draw))
    scores = torch.cat([torch.randint(1, 5, (len(there),), generator=draw) / 5, more.scores])
    order = scores.argsort(descending=True, stable=True)
    boxes = torch.cat([there.boxes + torch.tensor([step, 0, step, 0]), more.boxes])
    masks = torch.cat([there.masks.roll(step, -1), more.masks])
    return Instances(boxes[order], torch.cat([there.labels, more.labels])[order], masks[order], scores=scores[order])


def images() -> list[tuple[Instances, Instances]]:
    truth = [objects(seed, found=False) for seed in range(IMAGES)]
    return [(jittered(there, seed), there) for seed, there in enumerate(truth)]


def updated(suite, pairs: list[tuple[Instances, Instances]]):
    suite.update([found for found, _ in pairs], [there for _, there in pairs])
    return suite


def fresh():
    return instance(CLASSES, masks=True, threshold=0.5)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return list(one) == list(other) and all(
        torch.equal(one[key].nan_to_num(-7), other[key].nan_to_num(-7)) for key in one
    )


def test_kept_is_what_was_given() -> None:
    there = objects(3, found=False)
    kept = Kept.of(there, masks=True)
    assert len(kept) == len(there) > 1
    assert np.array_equal(rle.decode(kept.masks).transpose(2, 0, 1).astype(bool), there.masks.numpy())
    assert kept.masks[0]["size"] == [30, 40]
    assert np.array_equal(kept.boxes[:, :2] + kept.boxes[:, 2:], there.boxes[:, 2:].double().numpy())
    assert np.array_equal(kept.areas, there.masks.sum((1, 2)).double().numpy())
    assert Kept.of(there, masks=False).masks is None
    assert np.array_equal(Kept.of(there, masks=False).areas, kept.areas)


def test_any_type_of_mask_has_the_same_run_lengths() -> None:
    masks = objects(3, found=False).masks
    assert encoded(masks) == encoded(masks.byte()) == encoded(masks.float() * 0.3) == encoded(masks.long() * 255)
    assert encoded(masks[:0]) == []


def test_an_area_of_the_dataset_goes_before_that_of_the_mask() -> None:
    there = objects(3, found=False)
    said = Instances(there.boxes, there.labels, there.masks, areas=torch.arange(len(there)) + 0.5)
    assert Kept.of(said, masks=True).areas.tolist() == said.areas.tolist()
    bare = Instances(there.boxes, there.labels)
    assert Kept.of(bare, masks=True).areas is None


def test_what_is_no_number_is_nowhere_near() -> None:
    """One detection of four that diverged comes last and matches nothing, the others are as without it."""
    there = Instances(torch.tensor([[2.0, 2, 12, 12]]), torch.tensor([1]), keypoints=torch.full((1, 2, 3), 2.0))
    points = torch.stack([torch.full((2, 3), torch.nan), torch.full((2, 3), 2.0)])
    boxes = torch.tensor([[torch.nan] * 4, [2.0, 2, 12, 12]])
    found = Instances(boxes, torch.tensor([1, 1]), keypoints=points, scores=torch.tensor([torch.nan, 0.5]))
    pair = (Kept.of(found, False), Kept.of(there, False))
    for kind, sigmas in (("bbox", ()), ("keypoints", (0.05, 0.05))):
        assert average_precision([pair], kind, {1: "cat"}, sigmas)["ap"] == pytest.approx(1), kind


def test_any_division_into_batches_gives_the_same() -> None:
    whole, parts = updated(fresh(), images()), fresh()
    for part in (slice(0, 2), slice(2, 2), slice(2, 7)):
        updated(parts, images()[part])
    assert same(whole.compute(), parts.compute())
    assert 0.05 < whole.compute()["ap"] < 0.95
    parts.reset()
    updated(parts, images())
    assert same(whole.compute(), parts.compute())


def test_scores_are_computed_once_and_anew_after_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    from src.metric import detection

    calls = []
    count = lambda *args, run=detection.average_precision: calls.append(args[1]) or run(*args)  # noqa: E731
    monkeypatch.setattr(detection, "average_precision", count)
    suite = fresh()
    calls.clear()
    first = updated(suite, images()[:3]).compute()
    suite.compute()
    assert calls == ["segm", "bbox"]
    assert not same(first, updated(suite, images()[3:]).compute())


def test_copies_moves_and_pickles_keep_the_state() -> None:
    suite = updated(fresh(), images())
    expected = suite.compute()
    for other in (suite.clone(prefix=None), pickle.loads(pickle.dumps(suite)), suite.to("cpu").double()):
        assert same(other.compute(), expected)
    assert suite.clone()["objects"].batches is not suite["objects"].batches
    assert same(suite(*map(list, zip(*images()[:2], strict=True))), updated(fresh(), images()[:2]).compute())


def _rank(rank: int, world: int, folder: Path, batches: list[slice]) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
    suite = fresh()
    for batch in batches:
        updated(suite, images()[batch])
    torch.save(suite.compute(), folder / f"{rank}.pt")
    suite.reset()
    torch.save(updated(suite, images()[rank : rank + 1]).compute(), folder / f"{rank}-again.pt")
    dist.destroy_process_group()


@pytest.mark.filterwarnings("ignore:The ``compute`` method:UserWarning")
@pytest.mark.parametrize(
    "division",
    [
        ([slice(0, 2), slice(4, 6)], [slice(2, 4), slice(6, 7)]),
        ([slice(0, 3), slice(6, 7)], [slice(3, 6)], []),
    ],
    ids=["two, uneven", "three, one of them empty"],
)
def test_processes_give_the_same_as_one(tmp_path: Path, division: tuple[list[slice], ...]) -> None:
    """Bit for bit, with scores that tie between images."""
    forks, world = multiprocessing.get_context("fork"), len(division)
    ranks = [forks.Process(target=_rank, args=(rank, world, tmp_path, division[rank])) for rank in range(world)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
    assert [process.exitcode for process in ranks] == [0] * world
    alone, again = updated(fresh(), images()).compute(), updated(fresh(), images()[:world]).compute()
    assert not same(alone, again)
    for rank in range(world):
        assert same(torch.load(tmp_path / f"{rank}.pt"), alone)
        assert same(torch.load(tmp_path / f"{rank}-again.pt"), again)


def test_labels_that_are_no_objects_and_masks_of_another_size_are_refused() -> None:
    suite, (found, there) = fresh(), images()[1]
    sky = Instances(there.boxes, torch.zeros_like(there.labels), there.masks)
    with pytest.raises(ValueError, match=r"a target has the label 0, and .* are \[1, 2\]: give each object"):
        suite.update([found], [sky])
    small = Instances(found.boxes, found.labels, found.masks[:, 1:], scores=found.scores)
    with pytest.raises(ValueError, match=r"masks of the prediction are \(29, 40\) and those of the target \(30, 40\)"):
        suite.update([small], [there])
    assert suite["objects"].batches == []
    with pytest.raises(ValueError, match="zip"):
        suite.update([found], [there, there])


def test_a_metric_without_images_says_its_names() -> None:
    metric = Objects(partial(average_precision, kind="bbox", categories={1: "cat"}), [1], masks=False)
    assert list(metric.scores([]))[:3] == ["ap", "ap50", "ap75"]
