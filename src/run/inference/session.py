"""One command of src.predict: checkpoints loaded, files read, predicted, written and accounted for."""

import hashlib
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lightning import Fabric
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from src.data.cores import readers
from src.run.device import precision
from src.run.inference.detections import Detections
from src.run.inference.finder import Finder
from src.run.inference.index import Index
from src.run.inference.kind import finds_objects, gives_numbers
from src.run.inference.maps import Maps
from src.run.inference.measured import Measured
from src.run.inference.member import Member
from src.run.inference.reader import Reader
from src.run.inference.source import Source
from src.run.restore import restored
from src.task.task import Task


class Session:
    """Everything between the checked command line and the files that are written."""

    def __init__(self, options: dict[str, Any], checkpoints: list[Path], folder: Path) -> None:
        """Load the checkpoints.

        Args:
            options: conf/predict.yaml as plain containers.
            checkpoints: of the same classes.
            folder: of the outputs.

        Raises:
            ValueError: a checkpoint cannot be used, or an option is out of range.
        """
        self._options = options
        loaded = [restored(path, options["allow"]) for path in checkpoints]
        settings = [
            {"data.size": options["data"]["size"] or config["data"]["size"], "precision": self._precision(config)}
            for _, config in loaded
        ]
        self._kind = self._made([task for task, _ in loaded], settings, folder)
        facts = self._kind.facts | {
            "checkpoints": [{"sha256": _digest(path), **used} for path, used in zip(checkpoints, settings, strict=True)]
        }
        self._index = Index(self._kind.outputs, facts, self._kind.description)

    def _made(self, tasks: list[Task], settings: list[dict[str, Any]], folder: Path) -> Maps | Detections | Measured:
        """What kind of outputs the checkpoints have."""
        finds = finds_objects(tasks, self._options)
        made = Measured if not finds and gives_numbers(tasks, self._options) else Maps
        fabrics = [self._fabric(used["precision"]) for used in settings]
        if finds:
            chosen = {key: self._options[key] for key in ("score_threshold", "top_k")}
            finder = Finder(tasks[0], settings[0]["data.size"], fabrics[0], **chosen)
            return Detections(finder, self._options, folder)
        members = [
            Member(task, used["data.size"], fabric) for task, used, fabric in zip(tasks, settings, fabrics, strict=True)
        ]
        return made(members, self._options, folder)

    def run(self, sources: list[Source], others: list[Source]) -> list[str]:
        """Predict what is not there yet; why files could not be predicted.

        Args:
            sources: images.
            others: files that are no images, to be mentioned.

        Raises:
            ValueError: outputs would overwrite something, or cannot be written, or a file fails and `strict` is set.
        """
        began = time.monotonic()
        self._kind.check(sources)
        waiting = self._index.pending(sources, self._options["resume"])
        for source in others:
            self._index.note(source, "ignored", reason="no image, by its suffix")
        self._index.save()
        if len(waiting) < len(sources):
            print(f"{len(sources) - len(waiting)} of {len(sources)} are there already")
        try:
            failures = self._all(waiting)
        finally:
            self._index.save()
            self._kind.finish(self._index.complete(sources))
        if others:
            print(f"ignored, no images by their suffix: {', '.join(str(source.path) for source in others)}")
        written, seconds = len(waiting) - len(failures), time.monotonic() - began
        print(f"{written} files written to {self._kind.outputs.folder} in {seconds:.1f} s")
        return failures

    def _all(self, waiting: list[Source]) -> list[str]:
        failures = []
        reader = Reader(
            waiting,
            self._kind.description,
            self._kind.at_once,
            self._options["max_pixels"],
            self._workers(),
        )
        with _progress() as progress:
            bar = progress.add_task("predicting", total=len(waiting))
            for read in reader:
                failed = read.failures | (self._kind(read, self._index) if read.images is not None else {})
                for source, reason in failed.items():
                    self._index.note(source, "failed", reason=reason)
                    if self._options["strict"]:
                        raise ValueError(reason)
                failures += failed.values()
                progress.advance(bar, len(read.failures) + len(read.sources))
        return failures

    def _precision(self, config: dict[str, Any]) -> str | int:
        wanted = self._options["trainer"]["precision"] or config["trainer"]["precision"]
        return precision(wanted, self._options["trainer"]["accelerator"])

    def _fabric(self, used: str | int) -> Fabric:
        return Fabric(accelerator=self._options["trainer"]["accelerator"], devices=1, precision=used)

    def _workers(self) -> int:
        wanted = self._options["data"]["workers"]
        if wanted != "auto":
            return wanted
        return readers() if torch.cuda.is_available() else 0


def _progress() -> Progress:
    """A bar on a terminal, nothing in a log file."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, disable=not sys.stdout.isatty())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
