"""Local first: a logger that fails is left out of the rest of the run, which goes on without it."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from src.logger.interface import Look, Outcome, Shows

_OURS = Path(__file__).resolve().parents[1]
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD)$")  # what ends the name of a variable that holds one
_LONGEST = 300  # characters of a reason


class Guarded(Logger):
    """Hands everything on to another logger until that raises an error of its own.

    The error is told once, in one line, and stays in `trouble`. An error that our own code raises is not the logger's:
    it ends the run as everywhere else. Only the first process logs.
    """

    def __init__(self, title: str, logger: Logger) -> None:
        """See above.

        Args:
            title: how the logger is called in the config: tensorboard, wandb ...
            logger: Lightning's or anybody's; one that is `Shows` gets pictures and tables as well.
        """
        super().__init__()
        self.title, self.inner = title, logger
        self.trouble: str | None = None
        self._version: str | int | None = None
        self._step, self._when = 0, "left out from the start"

    def start(self, config: dict[str, Any]) -> None:
        """Begin; what the logger has to say of it is printed."""
        if not isinstance(self.inner, Shows):
            self.log_hyperparams(config)
        elif said := self._tried(self.inner.start):
            print(f"{self.title}: {said}", flush=True)
        _ = self.version

    def show(self, key: str, sheet: Image.Image, looks: Sequence[Look], classes: Sequence[str], step: int) -> None:
        """Pictures, see `Shows`."""
        if isinstance(self.inner, Shows):
            self._tried(self.inner.show, key, sheet, looks, classes, step)

    def conclude(self, outcome: Outcome) -> None:
        """What the run came to, see `Shows`; as figures for a logger that knows nothing else."""
        if isinstance(self.inner, Shows):
            self._tried(self.inner.conclude, outcome)
        else:
            self.log_metrics(outcome.figures, self._step)

    def end(self, status: str) -> None:
        """Nothing follows."""
        self._when = "not complete"
        if isinstance(self.inner, Shows):
            self._tried(self.inner.end, status)
        else:
            self.finalize("success" if status == "finished" else "failed")

    # Lightning's own.

    @property
    def name(self) -> str | int | None:
        return self._tried(lambda: self.inner.name)

    @property
    def version(self) -> str | int | None:
        """The last one that was known: a run that is resumed may find the logger well again."""
        self._version = self._tried(lambda: self.inner.version) or self._version
        return self._version

    @property
    def save_dir(self) -> str | None:
        return self._tried(lambda: self.inner.save_dir)

    @property
    def experiment(self) -> Any:
        """For callbacks of your own: what the logger gives out, unguarded."""
        return self.inner.experiment

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        if step:
            self._step, self._when = step, f"left out after step {step}"
        self._tried(self.inner.log_metrics, metrics, step)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        self._tried(self.inner.log_hyperparams, params, *args, **kwargs)

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        self._tried(self.inner.log_graph, model, input_array)

    def save(self) -> None:
        self._tried(self.inner.save)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        self._tried(self.inner.after_save_checkpoint, checkpoint_callback)

    def finalize(self, status: str) -> None:
        self._tried(self.inner.finalize, status)

    def _tried(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.trouble is not None or rank_zero_only.rank:
            return None
        try:
            return act(*args, **kwargs)
        except Exception as error:
            if _ours(error):
                raise
            self.trouble = f"{self._when}: {reason(error)}"
            remedy = getattr(self.inner, "remedy", None) or "The run folder has everything"
            print(f"{self.title}: {self.trouble}. {remedy}", flush=True)


def reason(error: Exception) -> str:
    """The first line of an error, without what must not be read by others."""
    text = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    for name, value in os.environ.items():
        if len(value) >= 8 and _SECRET.search(name):
            text = text.replace(value, "***")
    return _USERINFO.sub("***@", text)[:_LONGEST].rstrip(".")


def _ours(error: Exception) -> bool:
    """Whether a line of this project raised it, and not one of the logger's or of what the logger stands on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and Path(trace.tb_frame.f_code.co_filename).is_relative_to(_OURS)
