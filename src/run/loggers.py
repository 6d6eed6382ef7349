"""The loggers of a run: there or refused before anything starts, guarded while it runs, ended whatever happens."""

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from src.logger.about import About
from src.logger.guarded import Guarded
from src.run.build import build
from src.run.folder import write_json
from src.run.rank import first

_NEEDED = {  # target -> modules, and what brings them
    "src.logger.wandb.Wandb": (("wandb",), "wandb"),
    "src.logger.mlflow.MLflow": (("mlflow", "sqlalchemy", "alembic"), "mlflow-skinny sqlalchemy alembic"),
}


class Loggers:
    """A context in which a run logs; leaving it ends every logger, and notes in results.json which were left out."""

    def __init__(self, parts: dict[str, Any], folder: Path, facts: dict[str, Any], config: dict[str, Any]) -> None:
        """See above.

        Args:
            parts: of the config's group `logger`, by name.
            folder: of the run.
            facts: of results.json, kept up to date by whoever runs.
            config: resolved, plain.

        Raises:
            ValueError: a library that is needed is not installed.
        """
        for title, part in parts.items():
            _check_installed(title, part["_target_"])
        self._parts, self._folder, self._facts, self._config = parts, folder, facts, config
        self._open: list[Guarded] = []

    def open(self, earlier: dict[str, Any]) -> list[Guarded]:
        """Begin.

        Args:
            earlier: by title, what a checkpoint says of the loggers of the run that goes on.
        """
        about = About(self._folder, self._facts, self._config, os.environ.get("DENSE_GROUP"))
        for title, part in self._parts.items():
            ours = {"about": about, "version": earlier.get(title)}
            theirs = {"save_dir": str(self._folder)}
            logger = build(part, **(ours if part["_target_"].startswith("src.logger.") else theirs))
            self._open.append(Guarded(title, logger))
            self._open[-1].start(self._config)
        return self._open

    def __enter__(self) -> "Loggers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        status = self._facts.get("status", "finished")
        if error is not None and status in ("running", "finished"):
            status = "interrupted" if isinstance(error, SystemExit | KeyboardInterrupt) else "failed"
        for logger in self._open:
            logger.end(status)
        if self._open and first():
            self._facts["loggers"] = {logger.title: logger.trouble or "complete" for logger in self._open}
            with suppress(ValueError):  # a full disk: what ended the run is what must be told
                write_json(self._folder / "results.json", self._facts)


def _check_installed(title: str, target: str) -> None:
    modules, packages = _NEEDED.get(target, ((), ""))
    for module in modules:
        found = find_spec(module)
        if found is None or found.origin is None:  # a folder of that name, such as W&B's own files, is no library
            raise ValueError(
                f"logger.{title}: {module} is not installed: pip install {packages}, or choose another logger"
            )
