"""Depth in the benchmark: the formulas that ours are held against give the same values, and rows have figures."""

import pytest
import torch

from src.benchmark.__main__ import SMOKE
from src.benchmark.depths import FORMULA, PEERS, _scored, batch, row
from src.benchmark.loss import _built, run
from src.metric.depth import SCORES, Depth
from src.run.build import plain
from src.run.cli import compose
from src.run.combination.price import options


@pytest.mark.parametrize("name", options("depth"))
def test_the_formula_gives_our_value_and_gradient(name):
    output, target = batch({"batch": 1, "size": [48, 64]}, 1)
    values = [loss(output, target) for loss in (PEERS[name], _built(name))]
    torch.testing.assert_close(*values, rtol=1e-5, atol=0)
    torch.testing.assert_close(*(torch.autograd.grad(value, output)[0] for value in values), rtol=1e-4, atol=1e-8)


def test_the_scores_of_each_image_are_ours():
    output, target = (tensor.detach().exp() for tensor in batch({"batch": 1, "size": [48, 64]}, 1))
    ours = Depth()
    ours.update(output, target.nan_to_num(0))
    theirs = torch.tensor(_scored(output, target)).mean(0)
    torch.testing.assert_close(torch.stack([ours.compute()[name] for name in SCORES]).float(), theirs)


def test_the_parts_have_rows_of_depth():
    settings = plain(compose("benchmark", [])) | {"rounds": 1}
    assert row(settings | {"metric": SMOKE["metric"]}).ratio > 0
    rows = run(settings | {"loss": settings["loss"] | SMOKE["loss"] | {"only": ["silog"]}})
    assert rows[0].peer == FORMULA
    assert all(each.ratio > 0 for each in rows if not each.missing)
