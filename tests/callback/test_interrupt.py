import json
import os
import signal

import pytest
import torch

from src.callback.interrupt import Interrupt
from src.run import checkpoint

OPTIONS = ["trainer.max_epochs=2", "data.batch_size=2", "model.decoder.widths=[16,16,16,16,16]"]


@pytest.fixture
def stopped(run, monkeypatch):
    """A run that a signal ends in its step `step`; its folder."""

    def stop(number, step):
        original = Interrupt.on_train_batch_end

        def kill(self, trainer, *rest):
            if trainer.global_step == step:
                os.kill(os.getpid(), number)
            original(self, trainer, *rest)

        with monkeypatch.context() as patch:
            patch.setattr(Interrupt, "on_train_batch_end", kill)
            with pytest.raises(SystemExit) as ended:
                run(*OPTIONS, folder="part")
        assert ended.value.code == 128 + number

    return stop


@pytest.mark.parametrize(("number", "step"), [(signal.SIGINT, 2), (signal.SIGTERM, 4), (signal.SIGTERM, 7)])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(run, stopped, tmp_path, number, step):
    stopped(number, step)
    results = json.loads((tmp_path / "part" / "results.json").read_text())
    assert results["status"] == "interrupted"
    assert checkpoint.load(tmp_path / "part" / "checkpoints" / "last.ckpt")["global_step"] == step
    again, whole = run(*OPTIONS, "resume=auto", folder="part"), run(*OPTIONS, folder="whole")
    weights = [checkpoint.load(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in (again, whole)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    scores = [json.loads((folder / "results.json").read_text())["val"] for folder in (again, whole)]
    assert scores[0] == scores[1]


def test_handlers_are_given_back(run):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(*OPTIONS[1:])
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
