"""Two processes give what one gives."""

import json
import subprocess
import sys

import pytest
import torch

from src.run import checkpoint

TINY = [
    "model=unet_groupnorm",
    "model.decoder.widths=[16,16,16,16,16]",
    "loss=cross_entropy",
    "data.resolution=[32,48]",
    "data.lengths={train:8,val:5,test:2}",
    "data.batch_size=4",
    "optimizer=sgd",
    "trainer.max_epochs=2",
    "trainer.precision=32-true",
    "trainer.accelerator=cpu",
    "logger=none",
]
TWO = ["trainer.strategy=ddp", "trainer.devices=2"]


def dense(command, *words):
    process = subprocess.run(
        [sys.executable, "-m", f"src.{command}", *words], capture_output=True, text=True, timeout=280
    )
    assert process.returncode == 0, process.stderr
    return process


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same training by one process and by two."""
    root = tmp_path_factory.mktemp("ddp")
    for name, more in (("one", []), ("two", TWO)):
        dense("train", *TINY, *more, f"data.cache_folder={root}/cache", f"hydra.run.dir={root}/{name}")
    return root


def test_two_processes_train_as_one(runs):
    states = [checkpoint.load(runs / name / "checkpoints" / "last.ckpt")["state_dict"] for name in ("one", "two")]
    for key, value in states[0].items():
        assert torch.allclose(states[1][key], value, rtol=1e-5, atol=1e-5), key


def test_one_checkpoint_scores_the_same_integers_in_two_processes(runs):
    written = []
    for name, more in (("alone", []), ("both", TWO)):
        output = runs / f"{name}.json"
        ckpt = f"ckpt={runs}/one/checkpoints/best.ckpt"
        dense("evaluate", ckpt, "trainer.accelerator=cpu", f"output={output}", *more)
        written.append(json.loads(output.read_text()))
    loss = [scores.pop("loss") for scores in written]
    assert written[0] == written[1]
    assert loss[0] == pytest.approx(loss[1], rel=1e-6)


def test_the_run_folder_is_written_once(runs):
    results = json.loads((runs / "two" / "results.json").read_text())
    assert results["status"] == "finished"
    assert results["score"] == pytest.approx(json.loads((runs / "one" / "results.json").read_text())["score"], abs=1e-3)
