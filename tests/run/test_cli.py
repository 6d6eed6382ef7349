"""The command line as a user meets it: in a process of its own, from another folder."""

import subprocess
import sys

import pytest
from hydra.errors import HydraException

from src.run import cli
from src.run.build import build, plain


def dense(command: str, *words: str, folder=None, **environment: str) -> subprocess.CompletedProcess:
    import os

    env = os.environ | environment
    line = [sys.executable, "-X", "importtime", "-m", f"src.{command}", *words]
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def said(process: subprocess.CompletedProcess) -> list[str]:
    return [line for line in process.stderr.splitlines() if not line.startswith("import time:")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["los=dice"], "error: los: no such key or group; did you mean 'loss'?"),
        (["loss=dise"], "error: loss=dise: no such choice; did you mean 'dice'?"),
        (["loss.smoth=1", "loss=dice"], "error: loss.smoth: no such key or group; did you mean 'loss.smooth'?"),
        (["model/decodr=unet"], "error: model/decodr: no such key or group; did you mean 'model/decoder'?"),
        (["trainer.max_epoch=1"], "did you mean 'trainer.max_epochs'?"),
        (["experiments=nothing"], "error: experiments=nothing: no such choice"),
        (["resume=nowhere.ckpt"], "error: resume=nowhere.ckpt: there is no such checkpoint"),
        (["hydra.run.dir=/proc/run"], "error: /proc/run: cannot be written to"),
        (["sweep=optuna"], "error: sweep=optuna is for several runs: python -m src.train -m sweep=optuna ..."),
        (["loss=[dice"], "error: "),
    ],
)
def test_a_mistake_is_one_line_without_importing_torch(tmp_path, words, message):
    process = dense("train", *words, folder=tmp_path)
    assert process.returncode == 1
    assert message in said(process)[0]
    assert "Traceback" not in process.stderr
    assert "| torch\n" not in process.stderr


def test_two_keys_of_the_default_data_are_no_hint_to_themselves():
    words = ["data=camvid", "data.resolution=[1,2]", "data.lengths={train:4}"]
    with pytest.raises(HydraException) as caught:
        cli.compose("train", words)
    assert "did you mean 'data.resolution'" not in cli.explained(caught.value, "train", words)
    assert "data.resolution: no such key or group" in cli.explained(caught.value, "train", words)


def test_a_group_of_another_command_is_called_so():
    with pytest.raises(HydraException) as caught:
        cli.compose("score", ["task=depth"])
    assert cli.explained(caught.value, "score", ["task=depth"]).startswith(
        "task: is chosen in src.train, not in src.score."
    )


def test_what_a_part_says_of_its_arguments_is_told_as_it_is():
    words = ["task=instance", "+loss.weights.msk=1"]
    with pytest.raises(HydraException) as caught:
        build(plain(cli.compose("train", words))["loss"])
    assert cli.explained(caught.value, "train", words).startswith("loss.weights names ['msk']: the terms are")


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "score", "report"])
def test_every_command_helps_at_once(tmp_path, command):
    process = dense(command, "--help", folder=tmp_path)
    assert process.returncode == 0
    assert f"python -m src.{command}" in process.stdout
    assert "| torch\n" not in process.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_traceback_on_request(tmp_path):
    process = dense("train", "resume=nowhere.ckpt", folder=tmp_path, HYDRA_FULL_ERROR="1")
    assert "Traceback" in process.stderr
