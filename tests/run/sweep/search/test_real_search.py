"""A search as a user starts it, with real trainings; killed on the way."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from src.run.plugins import ROOT

WORDS = [
    "sweep=optuna",
    "sweep.pruner=hyperband",
    "sweep.trials=5",
    "sweep.jobs=2",
    "optimizer.lr=tag(log,interval(1e-4,1e-1))",
    "loss=dice,cross_entropy",
    "data.resolution=[32,48]",
    "data.lengths={train:8,val:4,test:0}",
    "data.batch_size=4",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "logger=none",
    "callback.pictures.every_n_epochs=99",
    "hydra.sweep.dir=sweep",
]


def start(folder: Path) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "src.train", "-m", *WORDS]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def results(folder: Path) -> dict[str, dict]:
    return {file.parent.name: json.loads(file.read_text()) for file in folder.glob("sweep/*/results.json")}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_killed_search_ends_as_if_it_had_not_been(tmp_path):
    process = start(tmp_path)
    while not (ended := {n: r for n, r in results(tmp_path).items() if r["status"] in ("finished", "pruned")}):
        assert process.poll() is None
        time.sleep(0.2)
    process.kill()
    process.communicate()
    process = start(tmp_path)
    out, _ = process.communicate()
    assert process.returncode == 0, out
    assert "going on: " in out
    found = results(tmp_path)
    assert len(found) == 5
    assert {facts["status"] for facts in found.values()} == {"finished", "pruned"}
    assert {name: found[name] for name in ended} == ended
    for name, facts in found.items():
        if facts["status"] == "pruned":
            assert "is behind that of other trials" in (tmp_path / "sweep" / name / "log.txt").read_text()
            assert facts["val"] is None
    (best,) = yaml.safe_load((tmp_path / "sweep/best.yaml").read_text())
    scores = [facts["score"] for facts in found.values() if facts["status"] == "finished"]
    assert best["score"] == max(scores) == found[best["folder"]]["score"]
    assert f"best:      {best['command']}\n" in out
