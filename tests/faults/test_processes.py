"""Several processes score and train as one does: every sample once, equal counts, equal losses."""

import os
import time
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import lightning as L
import pytest
import torch
import torch.distributed as dist
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, multiprocessing, nn

from src.data.datamodule import DataModule
from src.data.description import UNKNOWN, Description
from src.data.sample import Sample, collate
from src.data.sampler import InOrder
from src.loss.cross_entropy import CrossEntropy
from src.loss.dice import Dice
from src.loss.weighted_cross_entropy import WeightedCrossEntropy
from src.task.semantic import Semantic

CLASSES = 4
BATCHES, WORLDS = (1, 2, 3), (1, 2, 3)
FEW, ALL = (1, 2, 5, 7, 49), tuple(range(1, 51))
TRAINED = {"cross_entropy": CrossEntropy(), "weighted": WeightedCrossEntropy([1.0, 2.0, 3.0, 4.0]), "dice": Dice()}
TESTED = ((1, 1), (2, 3), (7, 2))  # samples and batch that the Trainer itself is given


class Noise:
    """Samples of random pixels, some of them unknown; every third has another size."""

    def __init__(self, split: str, length: int, even: bool = False) -> None:
        self.length, self.even = length, even

    def describe(self) -> Description:
        return Description(("image", "mask"), tuple("abcd"), ((0, 0, 0),) * CLASSES)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        draw, (height, width) = torch.Generator().manual_seed(index), self.size(index)
        mask = torch.randint(0, CLASSES, (height, width), generator=draw, dtype=torch.uint8)
        mask[torch.rand(mask.shape, generator=draw) < index % 7 / 8] = UNKNOWN
        image = torch.randint(0, 256, (3, height, width), generator=draw, dtype=torch.uint8)
        return Sample(image, mask, name=self.name(index), size=(height, width))

    def name(self, index: int) -> str:
        return f"{index:03}"

    def size(self, index: int) -> tuple[int, int]:
        return (4, 6) if self.even or index % 3 else (5, 3)

    def files(self, index: int) -> tuple[str, ...]:
        return ()


class Recorded(Semantic):
    """The task itself, which writes down what it answered."""

    def predicted(self) -> list[tuple[str, list[int]]]:
        return self.__dict__.setdefault("_predicted", [])

    def on_test_batch_end(self, outputs, batch, *_) -> None:
        if batch is not None:
            self.predicted().extend(zip(batch.name, outputs.flatten(1).tolist(), strict=True))


def task(loss: nn.Module) -> Recorded:
    torch.manual_seed(0)
    model = lambda in_channels, out_channels: nn.Conv2d(in_channels, out_channels, 3, padding=1)  # noqa: E731
    return Recorded(Noise("any", 1).describe(), model, loss, partial(torch.optim.SGD, lr=0.1))


def scored(length: int, batch_size: int, rank: int, world: int) -> dict:
    """What the parts of an evaluation give: sampler, collate, task, suite; sums over processes."""
    samples, model = Noise("test", length), TASK
    suite, total = model.suites["test"], torch.zeros(2, dtype=torch.float64)
    suite.reset()
    names = []
    for keys in InOrder([samples.size(index) for index in range(length)], batch_size, rank, world):
        batch = collate([samples[index] for _, index in keys])
        if batch is None:
            continue
        with torch.no_grad():
            batch = model.on_after_batch_transfer(batch, 0)
            output = model(batch)
            weight = model.weight(batch).double()
            total += torch.stack([model.losses(output, batch)["loss"].double() * weight, weight])
        suite.update(model.answer(output), model.target(batch))
        names.append(list(batch.name))
    if world > 1:
        dist.all_reduce(total)
    return {"confusion": suite.compute()["confusion"], "loss": float(total[0] / total[1]), "names": names}


def trainer(world: int, **options) -> L.Trainer:
    strategy = DDPStrategy(process_group_backend="gloo") if world > 1 else "auto"
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    options |= dict.fromkeys(quiet, False) | {"use_distributed_sampler": False}
    return L.Trainer(accelerator="cpu", devices=world, strategy=strategy, **options)


def data(folder: Path, **options) -> DataModule:
    same = lambda size, description: lambda sample: sample  # noqa: E731
    return DataModule(Noise, same, workers=0, cache="memory", cache_folder=str(folder / "cache"), **options)


def evaluated(folder: Path, length: int, batch_size: int, world: int) -> dict:
    """What `Trainer.test` gives."""
    module = task(WeightedCrossEntropy([1.0, 2.0, 3.0, 4.0]))
    trainer(world).test(module, data(folder, length=length, eval_batch_size=batch_size * world), verbose=False)
    return {
        "confusion": module.values["test"]["confusion"],
        "loss": module.scores["test"]["loss"],
        "predicted": module.predicted(),
    }


def trained(folder: Path, name: str, world: int) -> Tensor:
    """The weights after two steps of `Trainer.fit`."""
    module = task(TRAINED[name])
    source = data(folder, length=12, even=True, batch_size=6)
    trainer(world, max_epochs=1, limit_val_batches=0, log_every_n_steps=99).fit(module, source)
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def process(rank: int, world: int, folder: Path, lengths: tuple[int, ...]) -> None:
    """All cases, one after the other, in one of the processes."""
    ranked = {"LOCAL_RANK": str(rank), "NODE_RANK": "0", "WORLD_SIZE": str(world), "GLOO_SOCKET_IFNAME": "lo"}
    os.environ |= ranked if world > 1 else {}
    if world > 1:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet{world}", rank=rank, world_size=world)
    found = {case: scored(*case, rank, world) for case in product(lengths, BATCHES)}
    found |= {("test", *case): evaluated(folder / str(rank), *case, world) for case in TESTED}
    found |= {name: trained(folder / str(rank), name, world) for name in TRAINED}
    torch.save(found, folder / f"{world}-{rank}.pt")
    if world > 1:
        dist.destroy_process_group()


def groups(folder: Path, lengths: tuple[int, ...], seconds: float) -> dict[int, list[dict]]:
    """What each process of each group found, by the size of the group. Forked, so that torch is imported once."""
    (folder / "cache").mkdir()
    forks = multiprocessing.get_context("fork")
    for world in WORLDS:
        ranks = [forks.Process(target=process, args=(rank, world, folder, lengths)) for rank in range(world)]
        end = time.monotonic() + seconds
        for one in ranks:
            one.start()
        for one in ranks:
            one.join(max(0.0, end - time.monotonic()))
        late = [one for one in ranks if one.is_alive()]
        for one in late:
            one.kill()
        assert not late, f"{len(late)} of {world} processes still ran after {seconds} s"
        assert [one.exitcode for one in ranks] == [0] * world
    return {world: [torch.load(folder / f"{world}-{rank}.pt") for rank in range(world)] for world in WORLDS}


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Iterator[dict[int, list[dict]]]:
    return groups(tmp_path_factory.mktemp("few"), FEW, 60)


TASK = task(CrossEntropy()).eval()


def check_scores(found: dict[int, list[dict]], lengths: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The cases that differ from one process with a batch of 1."""
    wrong = []
    for length, batch_size, world in product(lengths, BATCHES, WORLDS):
        alone, parts = found[1][0][length, 1], [part[length, batch_size] for part in found[world]]
        batches = found[1][0][length, batch_size]["names"]  # as one process has them, and so in the dataset's order
        turns = [parts[turn % world]["names"][turn // world] for turn in range(len(batches))]
        known = int(sum((Noise("test", length)[index].mask != UNKNOWN).sum() for index in range(length)))
        right = (
            sorted(name for batch in turns for name in batch) == [f"{index:03}" for index in range(length)]
            and turns == batches == sorted(batches)
            and sum(len(part["names"]) for part in parts) == len(batches)
            and all(torch.equal(part["confusion"], alone["confusion"]) for part in parts)
            and int(alone["confusion"].sum()) == known
            and all(part["loss"] == pytest.approx(alone["loss"], rel=1e-6, nan_ok=True) for part in parts)
        )
        wrong += [] if right else [(length, batch_size, world)]
    return wrong


def test_any_division_scores_the_same(few, tally) -> None:
    wrong = check_scores(few, FEW)
    tally("sets x batches x processes", tried=len(FEW) * len(BATCHES) * len(WORLDS), failed=len(wrong))
    assert not wrong


@pytest.mark.parametrize(("length", "batch_size"), TESTED)
def test_trainer_scores_the_same(few, length: int, batch_size: int) -> None:
    case = ("test", length, batch_size)
    (alone,) = (part[case] for part in few[1])
    for world in WORLDS[1:]:
        parts = [part[case] for part in few[world]]
        for part in parts:
            assert torch.equal(part["confusion"], alone["confusion"])
            assert part["loss"] == pytest.approx(alone["loss"], rel=1e-6)
            assert part["predicted"] == sorted(part["predicted"])
        assert sorted(row for part in parts for row in part["predicted"]) == sorted(alone["predicted"])


@pytest.mark.parametrize("name", TRAINED)
def test_trainer_trains_the_same(few, name: str) -> None:
    """In a network without batch normalisation, for every loss that adds its sums up over the processes."""
    alone = few[1][0][name]
    assert not torch.allclose(alone, torch.cat([p.detach().flatten() for p in task(TRAINED[name]).parameters()]))
    for world in WORLDS[1:]:
        for part in few[world]:
            torch.testing.assert_close(part[name], alone, rtol=1e-5, atol=1e-7)


@pytest.mark.long
def test_every_set_up_to_fifty(tmp_path, tally) -> None:
    wrong = check_scores(groups(tmp_path, ALL, 250), ALL)
    tally("sets x batches x processes", tried=len(ALL) * len(BATCHES) * len(WORLDS), failed=len(wrong))
    assert not wrong
