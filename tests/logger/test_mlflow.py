"""MLflow's own client reads back what a run left in its database file."""

import logging
import math

import pytest
from PIL import Image

from src.logger.about import About
from src.logger.guarded import Guarded
from src.logger.interface import Outcome, Table

pytest.importorskip("mlflow")
pytest.importorskip("sqlalchemy")

FACTS = {"task": "semantic", "model": "unet", "loss": "dice", "data": "scenes", "seed": 3}


def test_figures_pictures_and_tables_are_in_the_database(monkeypatch, tmp_path, capsys):
    from mlflow.tracking import MlflowClient

    from src.logger.mlflow import MLflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    about = About(tmp_path / "run", FACTS, {"loss": {"smooth": 1.0}})
    logger = Guarded("mlflow", MLflow(about=about, version=None))
    logger.start({})
    logger.log_metrics({"val/iou/café (left)": 0.5, "val/loss": math.nan}, 3)
    logger.show("val/pictures", Image.new("RGB", (4, 4)), (), (), 3)
    logger.finalize("success")  # Lightning's, after the training
    ckpt = tmp_path / "best.ckpt"
    ckpt.write_bytes(b"weights")
    table = Table(("class", "iou"), (("road", 0.5),))
    logger.conclude(Outcome({"best/val/miou": 0.25}, {}, 3, {"best/val/classes": table}, checkpoints={"best": ckpt}))
    logger.end("interrupted")
    assert logger.trouble is None
    assert "mlflow ui --backend-store-uri sqlite" in capsys.readouterr().out

    again = Guarded("mlflow", MLflow(about=About(tmp_path / "run", FACTS | {"loss": "focal"}), version=logger.version))
    again.start({})
    again.log_metrics({"val/loss": 0.5}, 4)
    again.end("finished")
    assert again.trouble is None
    assert again.version == logger.version

    client = MlflowClient(f"sqlite:///{tmp_path}/runs/mlflow.db")
    run = client.get_run(logger.version)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.runName"] == "unet-dice-scenes-s3"
    assert run.data.tags["status"] == "finished"
    assert run.data.params["loss"] == "dice"
    assert run.data.metrics["best/val/miou"] == 0.25
    assert run.data.metrics["val/iou/caf- -left-"] == 0.5
    assert [metric.step for metric in client.get_metric_history(logger.version, "val/loss")] == [3, 4]
    folder = next((tmp_path / "runs" / "mlflow").glob("*/artifacts"))
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert files == {"config.yaml", "val/pictures/000003.png", "best/val/classes.csv"}
    assert (folder / "best/val/classes.csv").read_text() == "class,iou\nroad,0.5\n"
    logging.getLogger("mlflow").setLevel(logging.INFO)


def test_a_server_that_is_away_is_left_out(monkeypatch, tmp_path):
    from src.logger.mlflow import MLflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    about = About(tmp_path, FACTS)
    logger = Guarded("mlflow", MLflow(tracking_uri="http://127.0.0.1:9", about=about, version=None))
    logger.start({})
    logger.end("finished")
    assert logger.trouble.startswith("left out from the start")
