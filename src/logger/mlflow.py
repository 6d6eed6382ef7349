"""MLflow: a database file beside the runs, or a tracking server."""

import csv
import io
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from lightning.pytorch.loggers import MLFlowLogger
from PIL import Image

from src.logger.about import About
from src.logger.interface import Look, Outcome, Table

_STRANGE = re.compile(r"[^\w/. -]", re.ASCII)  # what a name may not hold
_STATES = {"finished": "FINISHED", "pruned": "KILLED", "interrupted": "KILLED"}


class MLflow(MLFlowLogger):
    """Lightning's own, with pictures, tables and checkpoints as artifacts, and a run that says how it ended."""

    remedy = None

    def __init__(
        self,
        experiment_name: str = "dense-labeling",
        run_name: str | None = None,
        tracking_uri: str | None = None,
        artifact_location: str | None = None,
        tags: dict[str, str] | None = None,
        log_model: bool = False,
        *,
        about: About,
        version: str | None,
    ) -> None:
        """Nothing is begun yet, see `start`.

        Args:
            experiment_name: as MLflow has it.
            run_name: None: from the run's axes.
            tracking_uri: None: MLFLOW_TRACKING_URI, else the file runs/mlflow.db.
            artifact_location: None: runs/mlflow beside that file, or what the server says.
            tags: beside task, model, backbone, decoder, loss, data and sweep.
            log_model: upload the best and the last checkpoint at the end.
            about: the run.
            version: the id of the run that this one continues, if it does.
        """
        for key, value in (("MAX_RETRIES", "2"), ("TIMEOUT", "10")):  # a server that is away must not hold the run up
            os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{key}", value)
        named = {key: str(about.facts[key]) for key in ("task", "data", "seed") if about.facts.get(key) is not None}
        uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('runs/mlflow.db').absolute()}"
        if uri.startswith("sqlite:///"):
            database = Path(uri.removeprefix("sqlite:///"))
            database.parent.mkdir(parents=True, exist_ok=True)
            artifact_location = artifact_location or (database.parent.absolute() / "mlflow").as_uri()
        for name in ("mlflow", "alembic", "lightning.pytorch.loggers.mlflow"):  # that tables are made is no news
            logging.getLogger(name).setLevel(logging.ERROR)
        super().__init__(
            experiment_name,
            run_name or about.name,
            uri,
            {**named, "group": about.group, "choices": " ".join(about.tags), **(tags or {})},
            artifact_location=artifact_location,
            run_id=version,
        )
        self._about, self._continues, self._with_model = about, version is not None, log_model
        self._uri = uri

    def start(self) -> str | None:
        """Log config and facts, once: a run that goes on has them, and MLflow lets nobody change them."""
        if self._continues:
            self.experiment.update_run(self.run_id, status="RUNNING")
            return None
        plain = {key: value for key, value in self._about.plain.items() if key not in ("config", "axes")}
        self.log_hyperparams({**plain, "axes": self._about.axes})
        self.experiment.log_dict(self.run_id, self._about.config, "config.yaml")
        return f"to look at it: mlflow ui --backend-store-uri {self._uri}" if self._uri.startswith("sqlite") else None

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        super().log_metrics({_STRANGE.sub("-", key): value for key, value in metrics.items()}, step)

    def show(self, key: str, sheet: Image.Image, looks: Sequence[Look], classes: Sequence[str], step: int) -> None:
        """The sheet, as an artifact."""
        self.experiment.log_image(self.run_id, sheet.convert("RGB"), artifact_file=f"{key}/{step:06d}.png")

    def conclude(self, outcome: Outcome) -> None:
        """Figures as metrics, tables as CSV, the confusion matrix as a picture too, checkpoints if asked."""
        self.log_metrics(outcome.figures, outcome.step)
        for key, table in {**outcome.tables, **outcome.confusions}.items():
            self.experiment.log_text(self.run_id, _csv(table), f"{key}.csv")
        for key, picture in outcome.pictures.items():
            self.experiment.log_image(self.run_id, picture.convert("RGB"), artifact_file=f"{key}.png")
        for path in outcome.checkpoints.values() if self._with_model else ():
            self.experiment.log_artifact(self.run_id, str(path), "checkpoints")

    def finalize(self, status: str = "success") -> None:
        """Lightning calls this after the training: the run is not over, see `end`."""

    def end(self, status: str) -> None:
        """How the run ended, as MLflow's state and in our word."""
        if self._initialized:
            self.experiment.set_tag(self.run_id, "status", status)
            self.experiment.set_terminated(self.run_id, _STATES.get(status, "FAILED"))


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([table.columns, *table.rows])
    return text.getvalue()
