"""Loggers are there or refused at once, and ended whatever happens."""

import json
from contextlib import nullcontext

import pytest

from src.run import loggers
from src.run.build import trusted
from src.run.loggers import Loggers
from src.run.outcome import by_class, pairs

CSV = {"csv": {"_target_": "lightning.pytorch.loggers.CSVLogger", "name": None, "version": ""}}


@pytest.mark.parametrize(("name", "packages"), [("wandb", "wandb"), ("mlflow", "mlflow-skinny sqlalchemy alembic")])
def test_a_library_that_is_not_there_is_named_with_what_brings_it(monkeypatch, tmp_path, name, packages):
    monkeypatch.setattr(loggers, "find_spec", lambda module: None)
    target = {"wandb": "src.logger.wandb.Wandb", "mlflow": "src.logger.mlflow.MLflow"}[name]
    with pytest.raises(ValueError, match=f"logger.{name}: {name} is not installed: pip install {packages}, or"):
        Loggers({name: {"_target_": target}}, tmp_path, {}, {})


def test_a_folder_of_that_name_is_no_library(monkeypatch, tmp_path):
    (tmp_path / "wandbfiles").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(loggers._NEEDED, "a.B", (("wandbfiles",), "wandbfiles"))
    with pytest.raises(ValueError, match="wandbfiles is not installed"):
        Loggers({"mine": {"_target_": "a.B"}}, tmp_path, {}, {})


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("finished", None, "finished"),
        ("interrupted", None, "interrupted"),
        ("running", RuntimeError(), "failed"),
        ("finished", ValueError(), "failed"),
        ("running", SystemExit(143), "interrupted"),
        ("running", KeyboardInterrupt(), "interrupted"),
    ],
)
def test_every_logger_hears_how_the_run_ended(tmp_path, status, error, told):
    facts = {"status": status}
    ended = []
    context = Loggers(CSV, tmp_path, facts, {"seed": 1})
    (logger,) = context.open({})
    logger.end = ended.append
    with nullcontext() if error is None else pytest.raises(type(error)), context:
        if error is not None:
            raise error
    assert ended == [told]
    assert json.loads((tmp_path / "results.json").read_text())["loggers"] == {"csv": "complete"}


def test_a_logger_that_was_left_out_is_in_the_results(tmp_path):
    with Loggers(CSV, tmp_path, {"status": "finished"}, {}) as context:
        (logger,) = context.open({})
        logger.trouble = "left out after step 3: gone"
    assert json.loads((tmp_path / "results.json").read_text())["loggers"] == {"csv": "left out after step 3: gone"}


def test_a_checkpoint_of_former_days_names_other_loggers():
    former = {"_target_": "lightning.pytorch.loggers.TensorBoardLogger", "name": None}
    assert trusted({"logger": {"tensorboard": former}})
    with pytest.raises(ValueError, match="where it does not belong"):
        trusted({"model": former})


def test_classes_have_a_row_and_kinds_of_scores_a_column():
    scores = {"miou": 0.5, "iou/road": 0.25, "iou/sky": float("nan"), "mask/ap/sky": 0.75, "pck/0": 1.0}
    table = by_class(scores, ("road", "sky", "car"))
    assert table.columns == ("class", "iou", "mask/ap")
    assert table.rows == (("road", 0.25, None), ("sky", None, 0.75))


def test_pairs_of_classes_that_occur():
    import torch

    matrix = torch.tensor([[3, 0, 1], [2, 5, 0]])
    expected = (("road", "road", 3), ("road", "no answer", 1), ("sky", "road", 2), ("sky", "sky", 5))
    assert pairs(matrix, ("road", "sky")).rows == expected
