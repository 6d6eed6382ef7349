"""What a run says to its loggers."""

import json
import subprocess
import sys

import pytest


def test_tensorboard_gets_scores_and_pictures(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = run("logger=default", "callback.pictures.every_n_epochs=1")
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    tags = events.Tags()
    assert {"val/miou", "val/iou/floor", "train/loss", "train/lr", "train/images_per_second"} <= set(tags["scalars"])
    assert tags["images"] == ["val/pictures", "confusion"]


def test_wandb_works_offline_and_holds_config_scores_and_pictures(run, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("DENSE_GROUP", "sweep-7")
    folder = run("logger=wandb", "callback.pictures.every_n_epochs=1")
    wandb.finish()
    (offline,) = (folder / "wandb").glob("offline-run-*")
    line = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(offline)]
    read = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert read.returncode == 0, read.stderr
    content = read.stdout
    assert {json.loads(line)["type"] for line in content.splitlines()} >= {"run", "history"}
    scores = ("val/miou", "val/iou/floor", "best/test/miou")
    for expected in (*scores, "val/pictures", "confusion", "src.loss.cross_entropy.CrossEntropy", "sweep-7"):
        assert expected in content
