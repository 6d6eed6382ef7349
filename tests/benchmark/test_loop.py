"""The peers' loops do what ours does: the same steps, to the same weights."""

import copy
from functools import partial

import torch

from src.benchmark import loop, setup, step
from src.benchmark.turns import Turns
from src.data.sample import Batch
from src.loss.cross_entropy import CrossEntropy

WORDS = [*step.TINY, *step.COMMON, "trainer.accelerator=cpu", "trainer.precision=32-true"]


def parts(model: torch.nn.Module) -> setup.Parts:
    model = copy.deepcopy(model)
    return setup.Parts(model, CrossEntropy(), torch.optim.AdamW(model.parameters()), "32-true")


def batches() -> list[Batch]:
    images = torch.randint(256, (2, 2, 3, 8, 8), dtype=torch.uint8)
    masks = torch.randint(5, (2, 2, 8, 8), dtype=torch.uint8)
    return [Batch(image, mask, name=["a", "b"], size=[(8, 8)] * 2) for image, mask in zip(images, masks, strict=True)]


def test_the_bare_loop_and_lightning_take_the_same_steps(tmp_path):
    model, given = torch.nn.Conv2d(3, 5, 1), batches()
    one, two = parts(model), parts(model)
    loop.bare(one, Turns(given, block=2, count=2))
    with step._silent():
        loop.lightning(two, Turns(given, block=2, count=2), tmp_path, **step.BARE)
    torch.testing.assert_close(one.model.state_dict(), two.model.state_dict())
    assert not torch.equal(one.model.weight, model.weight)


def test_ours_takes_the_same_steps_as_the_bare_loop(tmp_path):
    words = [*WORDS, "scheduler=constant", "scheduler.warmup=0.0", "optimizer.weight_decay=0"]
    with step._silent():
        ours = setup.session(words, tmp_path, tiny=True)
        bare = setup.parts(ours)
        given, peers = setup.ready(ours, 4), {"bare": partial(loop.bare, bare)}
        clocks = step.contest(given, peers, 2, 3, leader=partial(setup.fit, ours))
    torch.testing.assert_close(ours.task.model.state_dict(), bare.model.state_dict())
    assert len(clocks["ours"].cpu) == len(clocks["bare"].cpu) == 2


def test_callbacks_can_be_left_out(tmp_path):
    with step._silent():
        ours = setup.session(WORDS, tmp_path, tiny=True, without=["history"])
    names = [type(callback).__name__ for callback in ours.trainer.callbacks]
    assert "History" not in names
    assert "Throughput" in names
