"""The shared state: what it refuses, and that any number of processes and any division into batches gives the same."""

import pickle
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, multiprocessing

from src.metric.confusion import Confusion
from src.metric.overlap import iou


def maps(images: int = 5) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    output, target = torch.randint(0, 3, (2, images, 6, 5), generator=draw)
    target[torch.rand(target.shape, generator=draw) < 0.2] = 255
    return output, target


def test_matrix_has_a_row_per_true_class_and_a_last_column_for_no_answer() -> None:
    metric = Confusion(2)
    metric.update(torch.tensor([[[0, 1, 255, 1]]]), torch.tensor([[[0, 0, 0, 255]]]))
    assert metric.compute().tolist() == [[1, 1, 1], [0, 0, 0]]


def test_any_division_into_batches_gives_the_same() -> None:
    output, target = maps()
    whole, parts = Confusion(3), Confusion(3)
    whole.update(output, target)
    for part in (slice(0, 2), slice(2, 2), slice(2, 5)):
        parts.update(output[part], target[part])
    assert torch.equal(whole.compute(), parts.compute())
    parts.reset()
    assert parts.counts.sum() == 0


def test_stranger_is_refused_at_once_on_a_cpu_and_leaves_no_trace() -> None:
    metric = Confusion(3)
    with pytest.raises(ValueError, match="2 pixels of the target are neither a class"):
        metric.update(torch.tensor([[[0, 1, 2]]]), torch.tensor([[[3, 1, 19]]]))
    assert metric.counts.sum() == 0


def test_stranger_counted_on_an_accelerator_is_refused_in_compute() -> None:
    metric = Confusion(3)
    metric.update(*maps())
    metric.counts[2, 4] += 7  # what update does where it does not look
    with pytest.raises(ValueError, match="7 pixels of the output are neither a class"):
        metric.compute()


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 3, 1)])
def test_other_shapes_are_refused_not_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"the output is \(2, 3, 3\) and the target"):
        Confusion.update.__wrapped__(Confusion(2), torch.zeros(2, 3, 3), torch.zeros(shape))


def test_pickled_with_score_and_state() -> None:
    metric = Confusion(3, partial(iou))
    metric.update(*maps())
    assert torch.equal(pickle.loads(pickle.dumps(metric)).compute(), metric.compute())


def _rank(rank: int, folder: Path, batches: list[slice]) -> None:
    from src.data.description import Description
    from src.metric.suite import semantic

    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    description = Description(("mask",), tuple("abc"), ((0, 0, 0),) * 3, things=("a",))
    suite = semantic(description, per_image=True)
    for batch in batches:
        suite.update(*(part[batch] for part in maps()))
    torch.save([suite.compute(), suite["confusion"].counts], folder / f"{rank}.pt")
    suite.reset()
    suite.update(*maps(2))  # once more, to see that nothing of the sync is left
    torch.save(suite.compute(), folder / f"{rank}-again.pt")
    dist.destroy_process_group()


@pytest.mark.filterwarnings("ignore:The ``compute`` method:UserWarning")
@pytest.mark.parametrize(
    "division", [([slice(0, 2), slice(2, 4)], [slice(4, 5)]), ([slice(0, 5)], [])], ids=["uneven", "empty rank"]
)
def test_two_processes_give_the_same_as_one(tmp_path: Path, division: tuple[list[slice], list[slice]]) -> None:
    from src.data.description import Description
    from src.metric.suite import semantic

    processes = multiprocessing.get_context("fork")
    ranks = [processes.Process(target=_rank, args=(rank, tmp_path, division[rank])) for rank in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
    assert [process.exitcode for process in ranks] == [0, 0]
    alone = semantic(Description(("mask",), tuple("abc"), ((0, 0, 0),) * 3, things=("a",)), per_image=True)
    alone.update(*maps())
    expected = alone.compute()
    for rank in (0, 1):
        found, counts = torch.load(tmp_path / f"{rank}.pt")
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert torch.equal(found[name], value) if name != "miou_per_image" else found[name] == pytest.approx(value)
        again = torch.load(tmp_path / f"{rank}-again.pt")
        assert again["confusion"].sum() == 2 * (maps(2)[1] != 255).sum()
        assert counts.sum() == 30 * sum(len(range(*batch.indices(5))) for batch in division[rank])
