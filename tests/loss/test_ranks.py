"""Two processes, each with a part of the batch, against one that has it all."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn

from src.loss.binary_cross_entropy import BinaryCrossEntropy
from src.loss.cross_entropy import CrossEntropy
from src.loss.dice import Dice
from src.loss.eigen_fergus import EigenFergus
from src.loss.focal import Focal
from src.loss.gradient import Gradient
from src.loss.l1 import L1
from src.loss.ohem_cross_entropy import OhemCrossEntropy
from src.loss.ranks import across_ranks
from src.loss.silog import Silog
from src.loss.soft_dice import SoftDice
from src.loss.tversky import Tversky
from src.loss.weighted_cross_entropy import WeightedCrossEntropy

LOSSES = {
    "cross_entropy": CrossEntropy(),
    "cross_entropy_sum": CrossEntropy("sum"),
    "weighted_cross_entropy": WeightedCrossEntropy([1.0, 2.0, 3.0, 4.0], "weighted_mean"),
    "binary_cross_entropy": BinaryCrossEntropy(),
    "focal": Focal(),
    "ohem_cross_entropy": OhemCrossEntropy(min_kept=0),
    "dice": Dice(),
    "dice_per_sample": Dice(per="sample"),
    "soft_dice": SoftDice(),
    "tversky": Tversky(gamma=0.75),
}
DEPTHS = {
    "l1": L1(),
    "gradient": Gradient(),
    "gradient_per_sample": Gradient(per="sample"),
    "silog": Silog(),
    "silog_per_sample": Silog(per="sample"),
    "eigen_fergus": EigenFergus(),
}


def answers(first: int, last: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Each loss of those images of one fixed batch, and its gradient by the weights of a small network."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(3, 2, 6, 5, generator=generator)
    target = torch.randint(0, 3, (3, 6, 5), generator=generator)
    target[0, :4] = 255  # the parts differ in known pixels
    target[2, 0] = 3  # and in the classes they hold
    weight = torch.randn(4, 2, 1, 1, generator=generator).requires_grad_()
    depth = torch.randn(3, 4, 6, 5, generator=generator)
    depth[target[:, None].expand_as(depth) == 255] = torch.nan
    image, target, depth = image[first:last], target[first:last], depth[first:last]
    result = {}
    for name, loss in (LOSSES | DEPTHS).items():
        value = loss(nn.functional.conv2d(image, weight), target if name in LOSSES else depth)
        result[name] = (value.detach(), torch.autograd.grad(value, weight)[0])
    return result


def process(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    torch.save(answers(*((0, 1) if rank == 0 else (1, 3))), folder / f"{rank}.pt")
    # evaluation may leave one process with more batches than the other: no gradient, no waiting
    if rank == 0:
        with torch.no_grad():
            across_ranks(torch.ones(3))
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory) -> list[dict[str, tuple[Tensor, Tensor]]]:
    folder = tmp_path_factory.mktemp("ranks")
    mp.spawn(process, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("name", LOSSES | DEPTHS)
def test_averaged_gradients_are_those_of_the_whole_batch(ranks, name):
    value, gradient = answers(0, 3)[name]
    torch.testing.assert_close(ranks[0][name][0], value)
    torch.testing.assert_close(ranks[1][name][0], value)
    torch.testing.assert_close((ranks[0][name][1] + ranks[1][name][1]) / 2, gradient)
