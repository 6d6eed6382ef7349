"""W&B without W&B: offline files are read back, and a stand-in for its server misbehaves."""

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from PIL import Image

from src.data.sample import Instances
from src.logger import media
from src.logger.about import About
from src.logger.guarded import Guarded
from src.logger.interface import Look, Outcome, Table
from src.logger.wandb import Wandb
from tests.logger.server import KEY, Server, serving

wandb = pytest.importorskip("wandb")

FACTS = {"task": "semantic", "model": "unet", "loss": "dice", "data": "scenes", "seed": 3}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """W&B reads its environment once per service; nobody's own key or settings are used."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    wandb.teardown()
    yield
    wandb.teardown()


def guarded(folder: Path, version: str | None = None, **options) -> Guarded:
    about = About(folder, FACTS, {"loss": {"smooth": 1.0}})
    options = {"start_seconds": 1.5, "end_seconds": 2.0} | options
    return Guarded("wandb", Wandb(about=about, version=version, **options))


def read(folder: Path, *flags: str) -> list[dict]:
    """The records of a run's file, by W&B's own reader."""
    line = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", *flags, str(folder)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(row) for row in ([done.stdout] if flags else done.stdout.splitlines())]


def synced(folder: Path, server: Server, *flags: str) -> None:
    environment = os.environ | {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": server.address}
    line = [sys.executable, "-m", "wandb", "sync", *flags, str(folder)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def rows(history: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if not key.startswith("_")} for row in history]


def reachable(monkeypatch, server: Server) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", server.address)


@pytest.mark.parametrize("fault", ["closed", "broken", "mute", "no key", "a bad key"])
def test_a_server_that_cannot_be_used_delays_the_start_a_little_and_loses_nothing(monkeypatch, tmp_path, capsys, fault):
    with serving(fault) if fault in ("broken", "mute") else nullcontext() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.address if server else "http://127.0.0.1:9")
        if fault != "no key":
            monkeypatch.setenv("WANDB_API_KEY", "short" if "bad" in fault else KEY)
        logger = guarded(tmp_path)
        began = time.monotonic()
        logger.start({})
        assert time.monotonic() - began < 15  # 1.5 s for the server; the rest is the machine's
        logger.log_metrics({"val/score": 0.5}, 7)
        logger.end("finished")
    (folder,) = tmp_path.glob("wandb/*run-*")
    assert folder.name.startswith("offline-run-")
    assert f"wandb sync {folder}" in capsys.readouterr().out
    assert logger.trouble is None
    (history,) = [row["history"]["item"] for row in read(folder) if row["type"] == "history"]
    assert rows([history]) == [{"val/score": 0.5, "trainer/global_step": 7}]


def test_a_server_gets_everything_and_hears_how_the_run_ended(monkeypatch, tmp_path, capsys):
    with serving("well") as server:
        reachable(monkeypatch, server)
        for status, code in (("finished", 0), ("interrupted", 1), ("failed", 1)):
            logger = guarded(tmp_path / status)
            logger.start({})
            logger.log_metrics({"train/loss": 2.0}, 0)
            logger.end(status)
            run = logger.version
            assert logger.trouble is None
            assert f"{server.address}/me/dense-labeling/runs/{run}" in capsys.readouterr().out
            assert rows(server.histories[run]) == [{"train/loss": 2.0, "trainer/global_step": 0}]
            assert server.states[run] == code
        assert KEY.encode() not in server.bodies
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


def test_a_server_that_goes_away_is_told_once_and_a_later_sync_has_all(monkeypatch, tmp_path, capsys):
    with serving("well") as server:
        reachable(monkeypatch, server)
        logger = guarded(tmp_path)
        logger.start({})
        logger.log_metrics({"val/score": 0.1}, 1)
    logger.log_metrics({"val/score": 0.2}, 2)
    began = time.monotonic()
    logger.end("finished")
    assert time.monotonic() - began < 20
    assert logger.trouble.startswith("not complete")
    (folder,) = tmp_path.glob("wandb/run-*")
    assert f"Later: wandb sync --include-online {folder}" in capsys.readouterr().out
    with serving("well") as again:
        synced(folder, again, "--include-online")
        figures = [row["val/score"] for row in again.histories[logger.version]]
    assert figures == [0.1, 0.2]


def test_a_run_that_was_offline_arrives_as_it_was_logged(tmp_path):
    logger = guarded(tmp_path, offline=True)
    logger.start({})
    logged = [{"train/loss": 1.0 / step, "trainer/global_step": step} for step in range(1, 6)]
    for row in logged:
        logger.log_metrics({"train/loss": row["train/loss"]}, row["trainer/global_step"])
    logger.end("finished")
    (folder,) = tmp_path.glob("wandb/offline-run-*")
    with serving("well") as server:
        synced(folder, server)
        assert rows(server.histories[logger.version]) == logged
        assert server.states[logger.version] == 0


def test_a_run_that_goes_on_keeps_its_id(tmp_path):
    first = guarded(tmp_path, offline=True)
    first.start({})
    first.end("interrupted")
    second = guarded(tmp_path, version=first.version, offline=True)
    second.start({})
    second.end("finished")
    records = [read(folder) for folder in sorted(tmp_path.glob("wandb/offline-run-*"))]
    started = [row["run"] for found in records for row in found if row["type"] == "run"]
    assert {run["run_id"] for run in started} == {first.version}
    codes = [row["exit"].get("exit_code", 0) for found in records for row in found if row["type"] == "exit"]
    assert sorted(codes) == [0, 1]


def test_what_a_run_came_to_is_in_its_file(tmp_path):
    logger = guarded(tmp_path, offline=True, tags=["mine"], log_model=True, save_code=True)
    logger.start({})
    logger.log_metrics({"val/miou": 0.3, "val/abs_rel": 0.2, "train/lr": 0.1}, 1)
    ckpt = tmp_path / "best.ckpt"
    ckpt.write_bytes(b"weights")
    table = Table(("class", "iou"), (("road", 0.5), ("sky", None)))
    pairs = Table(("target", "output", "pixels"), (("road", "sky", 4),))
    outcome = Outcome(
        {"best/val/miou": 0.4},
        {"params": 12, "status": "finished", "axes": {"a": 1}},
        1,
        {"best/val/classes": table},
        {"best/val/confusion": pairs},
        {"best/val/confusion": Image.new("RGB", (4, 4))},
        {"best": ckpt},
    )
    logger.conclude(outcome)
    logger.end("finished")
    (folder,) = tmp_path.glob("wandb/offline-run-*")
    (summary,) = [found["summary"] for found in read(folder, "--summary")]
    assert summary["best/val/miou"] == 0.4
    assert (summary["run/params"], summary["run/status"]) == (12, "finished")
    assert summary["val/miou"] == {"max": 0.3}
    assert summary["val/abs_rel"] == {"min": 0.2}
    assert summary["train/lr"] == 0.1
    records = read(folder)
    (run,) = [row["run"] for row in records if row["type"] == "run"]
    assert run["display_name"] == "unet-dice-scenes-s3"
    assert (run["run_group"], run["job_type"]) == ("semantic/scenes", "train")
    assert run["tags"] == ["semantic", "unet", "dice", "scenes", "mine"]
    stored = {file.name.partition("_1_")[0]: json.loads(file.read_text()) for file in folder.rglob("*.table.json")}
    assert stored["classes"]["data"] == [["road", 0.5], ["sky", None]]
    assert stored["confusion_matrix_table"]["data"] == [["road", "sky", 4]]
    artifacts = {row["artifact"]["name"]: row["artifact"] for row in records if row["type"] == "artifact"}
    assert set(artifacts[f"model-{logger.version}"]["aliases"]) >= {"best"}
    code = {item["path"] for item in artifacts["code-dense-labeling"]["manifest"]["contents"]}
    assert {"src/train.py", "conf/train.yaml"} <= code
    assert not any(path.startswith(("tests", "runs")) for path in code)


def test_masks_and_boxes_have_the_names_of_their_classes():
    pixels = torch.zeros(3, 4, 6, dtype=torch.uint8)
    mask = torch.tensor([[0, 1, 255, 1, 0, 0]] * 4)
    dense = media.image(Look("a.png", pixels, {"target": mask, "prediction": mask}), ("road", "sky"))
    assert set(dense._masks) == {"target", "prediction"}
    assert {"road", "sky", "unknown"} <= {item["name"] for item in dense._classes._class_set}
    found = Instances(torch.tensor([[1.0, 0.0, 5.0, 3.0]]), torch.tensor([1]), scores=torch.tensor([0.75]))
    objects = media.image(Look("b.png", pixels, objects={"prediction": found}), ("road", "sky"))
    (box,) = objects._boxes["prediction"]._val
    assert box["position"] == {"minX": 1.0, "minY": 0.0, "maxX": 5.0, "maxY": 3.0}
    assert (box["class_id"], box["box_caption"], box["scores"]) == (1, "sky 0.75", {"score": 0.75})


def test_an_address_with_a_password_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_BASE_URL", "http://me:canary@127.0.0.1:9")
    with pytest.raises(ValueError, match="WANDB_BASE_URL: holds a user name or password") as caught:
        guarded(tmp_path)
    assert "canary" not in str(caught.value)


def test_a_password_in_gits_remote_goes_nowhere(monkeypatch, tmp_path):
    for line in (["init", "-q"], ["remote", "add", "origin", "https://me:canary@example.org/a.git"]):
        subprocess.run(["git", *line], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    logger = guarded(tmp_path / "run", offline=True)
    logger.start({})
    logger.end("finished")
    assert not [file for file in (tmp_path / "run").rglob("*") if file.is_file() and b"canary" in file.read_bytes()]
