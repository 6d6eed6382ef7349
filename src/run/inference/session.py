"""One command of src.predict: checkpoints loaded, files read, predicted, written and accounted for."""

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lightning import Fabric
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from src.run.device import precision
from src.run.inference.ensemble import Ensemble
from src.run.inference.index import Index
from src.run.inference.member import Member
from src.run.inference.objects import Objects
from src.run.inference.outputs import Outputs, draft
from src.run.inference.prediction import Prediction
from src.run.inference.predictor import Predictor, Unpredictable
from src.run.inference.reader import Read, Reader
from src.run.inference.source import Source
from src.run.restore import restored

_FACTS = ("mirror", "scales", "tile", "overlap", "tile_above")  # options that have a say in the pixels


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
        members = [
            Member(task, facts["data.size"], self._fabric(facts["precision"]))
            for (task, _), facts in zip(loaded, settings, strict=True)
        ]
        self._ensemble = Ensemble(members, options["scales"], options["mirror"], options["combine"])
        cut = {key: options[key] for key in ("tile", "overlap", "tile_above", "batch_size")}
        self._predictor = Predictor(self._ensemble, **cut)
        description = self._ensemble.description
        kinds = {key: options[key] for key in ("overlay", "probabilities", "one_hot")}
        wanted = options["objects"]
        self._objects = Objects(description, wanted == "watershed", options["min_object"]) if wanted else None
        self._outputs = Outputs(folder, description, **kinds, objects=bool(wanted))
        facts = {key: options[key] for key in _FACTS}
        facts["checkpoints"] = [
            {"sha256": _digest(path), **used} for path, used in zip(checkpoints, settings, strict=True)
        ]
        if len(checkpoints) > 1:
            facts["combine"] = options["combine"]
        if wanted:
            facts |= {"objects": wanted, "min_object": options["min_object"]}
        self._index = Index(self._outputs, facts, description)

    def run(self, sources: list[Source], others: list[Source]) -> list[str]:
        """Predict what is not there yet; why files could not be predicted.

        Args:
            sources: images.
            others: files that are no images, to be mentioned.

        Raises:
            ValueError: outputs would overwrite something, or cannot be written, or a file fails and `strict` is set.
        """
        began = time.monotonic()
        self._outputs.check(sources)
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
        if others:
            print(f"ignored, no images by their suffix: {', '.join(str(source.path) for source in others)}")
        written, seconds = len(waiting) - len(failures), time.monotonic() - began
        print(f"{written} files written to {self._outputs.folder} in {seconds:.1f} s")
        return failures

    def _all(self, waiting: list[Source]) -> list[str]:
        failures = []
        reader = Reader(
            waiting,
            self._ensemble.description,
            self._predictor.at_once,
            self._options["max_pixels"],
            self._workers(),
        )
        with _progress() as progress:
            bar = progress.add_task("predicting", total=len(waiting))
            for read in reader:
                failed = read.failures | self._predicted(read)
                for source, reason in failed.items():
                    self._index.note(source, "failed", reason=reason)
                    if self._options["strict"]:
                        raise ValueError(reason)
                failures += failed.values()
                progress.advance(bar, len(read.failures) + len(read.sources))
        return failures

    def _predicted(self, read: Read) -> dict[Source, str]:
        """Predict and write a batch; what failed."""
        if read.images is None:
            return {}
        size = tuple(read.images.shape[-2:])
        paths = [self._outputs.probabilities(source) for source in read.sources]
        drafts = [draft(path) if path else None for path in paths]
        try:
            predictions = [Prediction(self._ensemble, size, self._outputs.one_hot, part) for part in drafts]
            self._predictor(read.images, lambda index, top, logits: predictions[index].write(top, logits))
            for source, image, prediction in zip(read.sources, read.images, predictions, strict=True):
                objects = self._objects(prediction.mask) if self._objects else None
                self._outputs.save(source, image, prediction, self._index.stamp(source), objects)
                self._index.written(source)
        except Unpredictable as error:
            return {source: f"{source.path}: {error}" for source in read.sources}
        except OSError as error:
            raise ValueError(f"{paths[0]}: cannot be written ({error.strerror or error})") from error
        finally:
            for part in filter(None, drafts):
                part.unlink(missing_ok=True)
        return {}

    def _precision(self, config: dict[str, Any]) -> str | int:
        wanted = self._options["trainer"]["precision"] or config["trainer"]["precision"]
        return precision(wanted, self._options["trainer"]["accelerator"])

    def _fabric(self, used: str | int) -> Fabric:
        return Fabric(accelerator=self._options["trainer"]["accelerator"], devices=1, precision=used)

    def _workers(self) -> int:
        wanted = self._options["data"]["workers"]
        if wanted != "auto":
            return wanted
        return min(8, os.cpu_count() or 1) if torch.cuda.is_available() else 0


def _progress() -> Progress:
    """A bar on a terminal, nothing in a log file."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, disable=not sys.stdout.isatty())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
