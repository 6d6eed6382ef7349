"""Files to maps: networks that answer for every pixel, alone or together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.run.inference.ensemble import Ensemble
from src.run.inference.index import Index
from src.run.inference.member import Member
from src.run.inference.objects import Objects
from src.run.inference.outputs import Outputs
from src.run.inference.prediction import Prediction
from src.run.inference.predictor import Predictor, Unpredictable
from src.run.inference.reader import Read
from src.run.inference.source import Source
from src.run.inference.writing import apart, draft

_FACTS = ("mirror", "scales", "tile", "overlap", "tile_above")  # options that have a say in the pixels


class Maps:
    """What src.predict does with the checkpoints of a task of maps."""

    def __init__(self, members: Sequence[Member], options: dict[str, Any], folder: Path) -> None:
        """Put the members together.

        Args:
            members: of the same classes.
            options: conf/predict.yaml as plain containers.
            folder: of the outputs.

        Raises:
            ValueError: an option is out of range, or the members were made for different data.
        """
        self._ensemble = Ensemble(members, options["scales"], options["mirror"], options["combine"])
        cut = {key: options[key] for key in ("tile", "overlap", "tile_above", "batch_size")}
        self._predictor = Predictor(self._ensemble, **cut)
        self.description = self._ensemble.description
        kinds = {key: options[key] for key in ("overlay", "probabilities", "one_hot")}
        wanted = options["objects"]
        self._objects = Objects(self.description, wanted == "watershed", options["min_object"]) if wanted else None
        self.outputs = Outputs(folder, self.description, **kinds, objects=bool(wanted))
        self.facts = {key: options[key] for key in _FACTS}
        if len(members) > 1:
            self.facts["combine"] = options["combine"]
        if wanted:
            self.facts |= {"objects": wanted, "min_object": options["min_object"]}
        self.at_once = self._predictor.at_once

    def check(self, sources: Sequence[Source]) -> None:
        """See that no output would take the place of another.

        Raises:
            ValueError: some would.
        """
        apart(sources, self.outputs.all)

    def __call__(self, read: Read, index: Index) -> dict[Source, str]:
        """Predict and write a batch; what failed."""
        size = tuple(read.images.shape[-2:])
        paths = [self.outputs.probabilities(source) for source in read.sources]
        drafts = [draft(path) if path else None for path in paths]
        try:
            predictions = [Prediction(self._ensemble, size, self.outputs.one_hot, part) for part in drafts]
            self._predictor(read.images, lambda index, top, logits: predictions[index].write(top, logits))
            for source, image, prediction in zip(read.sources, read.images, predictions, strict=True):
                objects = self._objects(prediction.mask) if self._objects else None
                self.outputs.save(source, image, prediction, index.stamp(source), objects)
                index.written(source)
        except Unpredictable as error:
            return {source: f"{source.path}: {error}" for source in read.sources}
        except OSError as error:
            raise ValueError(f"{paths[0]}: cannot be written ({error.strerror or error})") from error
        finally:
            for part in filter(None, drafts):
                part.unlink(missing_ok=True)
        return {}

    def finish(self, complete: Sequence[Source]) -> None:
        """Every file stands by itself."""
