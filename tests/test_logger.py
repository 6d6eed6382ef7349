"""What a run says to its loggers."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_tensorboard_gets_scores_pictures_and_final_figures(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    folder = run("logger=default", "callback.pictures.every_n_epochs=1")
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    tags = events.Tags()
    assert {"val/miou", "val/iou/floor", "train/loss", "train/lr", "train/images_per_second"} <= set(tags["scalars"])
    assert tags["images"] == ["val/pictures", "best/test/confusion"]
    assert {"best/val/classes/text_summary", "best/test/confusion/text_summary"} <= set(tags["tensors"])
    results = json.loads((folder / "results.json").read_text())
    (final,) = events.Scalars("best/test/score")
    assert final.value == pytest.approx(results["test"]["score"], rel=1e-6)
    assert final.step == 2
    assert results["loggers"] == {"tensorboard": "complete"}
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    described = HParamsPluginData.FromString(events.SummaryMetadata("_hparams_/experiment").plugin_data.content)
    assert "best/test/score" in {info.name.tag for info in described.experiment.metric_infos}
    parameters = HParamsPluginData.FromString(content).session_start_info.hparams
    assert parameters["loss"].string_value == "cross_entropy"
    assert parameters["config.optimizer.lr"].number_value == results["lr"]


def recorded(folder: Path, *flags: str) -> str:
    """What W&B's own reader says of the one run in a folder."""
    (offline,) = (folder / "wandb").glob("offline-run-*")
    line = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", *flags, str(offline)]
    read = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert read.returncode == 0, read.stderr
    return read.stdout


@pytest.fixture
def offline(run, monkeypatch):
    """`offline(*overrides)`: a training that logs to W&B's files."""
    wandb = pytest.importorskip("wandb")
    wandb.teardown()
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("DENSE_GROUP", "sweep-7")
    yield lambda *words: run("logger=wandb", "callback.pictures.every_n_epochs=1", *words)
    wandb.teardown()


def test_every_figure_table_and_picture_is_in_the_offline_file(offline):
    folder = offline()
    results = json.loads((folder / "results.json").read_text())
    assert results["loggers"] == {"tensorboard": "complete", "wandb": "complete"}
    content = json.loads(recorded(folder, "--summary"))
    config, summary = content["config"], content["summary"]
    assert (config["model"], config["loss"], config["backbone"]) == ("unet", "cross_entropy", "resnet18")
    assert config["config"]["loss"]["_target_"] == "src.loss.cross_entropy.CrossEntropy"
    for split in ("val", "test"):
        for name, value in results[split].items():
            found = summary.get(f"best/{split}/{name}")  # a class that is absent has none
            assert found is None if value is None else found == pytest.approx(value)
    with (folder / "metrics.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["val/score"]) == pytest.approx(summary["val/score"]["max"])
    assert float(row["val/loss"]) == pytest.approx(summary["val/loss"]["min"])
    records = [json.loads(line) for line in recorded(folder).splitlines()]
    history = [record["history"]["item"] for record in records if record["type"] == "history"]
    logged = {key for item in history for key in item}
    assert {key for key in row if "/" in key} <= logged
    pictures = {"val/pictures", "val/samples", "best/test/confusion"}
    tables = {f"best/{split}/{name}" for split in ("val", "test") for name in ("classes", "confusion_matrix_table")}
    assert {f"{key}._type" for key in pictures | tables} <= logged  # the reader writes what is nested with a dot
    (started,) = [record["run"] for record in records if record["type"] == "run"]
    assert started["run_group"] == "sweep-7"
    assert [record["exit"].get("exit_code", 0) for record in records if record["type"] == "exit"] == [0]
    _check_media(folder, history, results)


def _check_media(folder: Path, history: list[dict], results: dict) -> None:
    (files,) = (folder / "wandb").glob("offline-run-*/files")
    (samples,) = [item for item in history if "val/samples.count" in item]
    assert samples["val/samples.captions"] == [f"val/0000{index}" for index in range(4)]
    assert all((files / name).is_file() for name in samples["val/samples.filenames"])
    for masks in samples["val/samples.all_masks"]:
        assert set(masks) == {"target", "prediction"}
        assert all((files / mask["path"]).is_file() for mask in masks.values())
    (table,) = files.glob("media/table/best/test/classes_*.json")
    rows = dict(json.loads(table.read_text())["data"])
    assert rows == {key.removeprefix("iou/"): score for key, score in results["test"].items() if key.startswith("iou/")}
    (table,) = files.glob("media/table/best/test/confusion_matrix_table_*.json")
    assert sum(count for _, _, count in json.loads(table.read_text())["data"]) == 2 * 32 * 48


@pytest.mark.long
def test_a_training_that_fails_ends_its_run_as_failed(offline, monkeypatch, tmp_path):
    from src.run.session import Session

    def broken(self):
        raise RuntimeError("broken")

    monkeypatch.setattr(Session, "scores", broken)
    with pytest.raises(RuntimeError, match="broken"):
        offline()
    records = [json.loads(line) for line in recorded(tmp_path / "run").splitlines()]
    assert [record["exit"]["exit_code"] for record in records if record["type"] == "exit"] == [1]
    assert json.loads(recorded(tmp_path / "run", "--summary"))["summary"]["run/status"] == "failed"
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "failed"


def test_a_logger_that_breaks_does_not_end_the_training(offline, monkeypatch, capsys):
    from wandb.sdk.wandb_run import Run

    def lost(self, *args, **kwargs):
        raise ConnectionError("the service has gone")

    monkeypatch.setattr(Run, "log", lost)
    monkeypatch.setattr("src.logger.guarded._OURS", Path("/nowhere"))  # the line above stands in for the library's
    folder = offline()
    results = json.loads((folder / "results.json").read_text())
    assert results["status"] == "finished"
    assert results["loggers"]["tensorboard"] == "complete"
    assert results["loggers"]["wandb"] == "left out from the start: the service has gone"
    told = [line for line in capsys.readouterr().out.splitlines() if "the service has gone" in line]
    assert len(told) == 1
    assert "wandb sync" in told[0]
