"""FAULTS A6, A8: a run that was stopped anywhere goes on bit by bit as if it had not been."""

import csv
import json
import os
import shutil
import signal

import pytest
import torch

from src.callback.last import Last
from src.run import checkpoint
from src.task.task import Task

TINY = [
    "model=unet_paper",
    "model.width=2",
    "model.norm={_target_: torch.nn.BatchNorm2d, _partial_: true}",
    "data.lengths={train:12,val:5,test:2}",
    "data.batch_size=2",
    "trainer.max_epochs=4",
    "loss=cross_entropy_dice",
    "callback=[default,ema,early_stopping]",
    "callback.ema.decay=0.9",
    "callback.pictures.count=0",
]
TIMED = ("train/images_per_second", "train/memory_mb", "train/cpu_seconds")
STEPS = 24
HOOKS = {"step": "on_train_batch_end", "validation": "on_validation_batch_end", "epoch": "on_train_epoch_end"}


@pytest.fixture
def seen(monkeypatch):
    """The names of every batch that any run trains on, in order."""
    names = []
    original = Task.training_step

    def noted(self, batch, index):
        names.append(list(batch.name))
        return original(self, batch, index)

    monkeypatch.setattr(Task, "training_step", noted)
    return names


def go(run, monkeypatch, *words, folder, stop=None):
    """Run, or go on; a signal comes with the first hook `stop[0]` at or after step `stop[1]`, after the other callbacks
    had theirs."""
    with monkeypatch.context() as patch:
        if stop:
            kind, step = stop
            original = getattr(Last, HOOKS[kind])

            def killed(self, trainer, *rest, **named):
                if trainer.global_step >= step:
                    os.kill(os.getpid(), signal.SIGTERM)
                original(self, trainer, *rest, **named)

            patch.setattr(Last, HOOKS[kind], killed)
            with pytest.raises(SystemExit) as ended:
                run(*TINY, "resume=auto", *words, folder=folder)
            assert ended.value.code == 143
        else:
            run(*TINY, "resume=auto", *words, folder=folder)


def flat(value, prefix=""):
    """Every leaf of nested containers by its path."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(item, f"{prefix}/{key}").items()}
    if isinstance(value, list | tuple):
        return {k: v for key, item in enumerate(value) for k, v in flat(item, f"{prefix}/{key}").items()}
    return {prefix: value}


IGNORED = ("dirpath", "path", "best_k_models", "config", "rows", "loggers", "val_loop.batch_progress/total")


def difference(a, b, ignored=IGNORED):
    """The paths at which two checkpoints differ, but for where things are, the rows (compared without their times) and
    Lightning's count of evaluated batches, in which a batch that is evaluated again counts twice."""
    first, second = flat(a), flat(b)
    paths = [path for path in first.keys() | second.keys() if not any(word in path for word in ignored)]
    return sorted(path for path in paths if not same(first.get(path), second.get(path)))


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    return a == b


def rows(folder):
    found = list(csv.DictReader((folder / "metrics.csv").open()))
    return [{key: value for key, value in row.items() if key not in TIMED} for row in found]


def equal(one, other):
    """Assert that two run folders hold the same run."""
    for name in ("last.ckpt", "best.ckpt"):
        contents = [checkpoint.load(folder / "checkpoints" / name) for folder in (one, other)]
        assert difference(*contents) == [], name
    for first, second in zip(rows(one), rows(other), strict=True):
        assert {key for key in first if first[key] != second.get(key)} == set()
    results = [json.loads((folder / "results.json").read_text()) for folder in (one, other)]
    for key in ("score", "val", "test", "status", "epochs"):
        assert results[0][key] == results[1][key], key


def chain(run, monkeypatch, seen, tmp_path, stops, *words):
    """One run whole, one stopped at each of `stops` and taken up again: they must be the same."""
    go(run, monkeypatch, *words, folder="whole")
    whole = list(seen)
    seen.clear()
    for stop in stops:
        go(run, monkeypatch, *words, folder="part", stop=stop)
    go(run, monkeypatch, *words, folder="part")
    assert seen == whole
    for epoch in range(4):
        names = [name for batch in whole[6 * epoch : 6 * epoch + 6] for name in batch]
        assert sorted(names) == sorted(set(names))
    equal(tmp_path / "whole", tmp_path / "part")


def test_stopped_in_and_between_epochs_and_in_an_evaluation(run, monkeypatch, seen, tmp_path):
    stops = [("step", 2), ("validation", 6), ("epoch", 12), ("step", 18), ("step", 23)]
    chain(run, monkeypatch, seen, tmp_path, stops)


def test_stopped_with_loading_processes_and_accumulation(run, monkeypatch, seen, tmp_path):
    stops = [("step", 1), ("step", 5)]
    chain(run, monkeypatch, seen, tmp_path, stops, "data.workers=2", "trainer.accumulate_grad_batches=2")


def test_goes_on_in_another_folder_with_its_best_score(run, monkeypatch, seen, tmp_path):
    """A8."""
    go(run, monkeypatch, folder="whole")
    go(run, monkeypatch, folder="part", stop=("step", 20))
    path = tmp_path / "part" / "checkpoints" / "last.ckpt"
    run(*TINY, f"resume={path}", folder="elsewhere")
    equal(tmp_path / "whole", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "part")
    assert json.loads((tmp_path / "elsewhere" / "results.json").read_text())["status"] == "finished"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["step", "validation"])
@pytest.mark.parametrize("workers", [0, 2, 4])
def test_stopped_at_every_position(run, monkeypatch, seen, tmp_path, tally, workers, kind):
    positions = range(1, STEPS) if kind == "step" else range(6, STEPS + 1, 6)
    stops = [(kind, position) for position in positions]
    chain(run, monkeypatch, seen, tmp_path, stops, f"data.workers={workers}")
    tally(f"resume, stopped in every {kind}, {workers} workers", tried=len(stops), failed=0)
