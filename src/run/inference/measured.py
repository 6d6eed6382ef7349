"""Files to numbers: networks that answer with depth, normals, other float fields, colours, or several of these."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.run.inference.field.depth import Depth
from src.run.inference.fused import Fused
from src.run.inference.index import Index
from src.run.inference.member import Member
from src.run.inference.predictor import Predictor, Unpredictable
from src.run.inference.reader import Read
from src.run.inference.records import Records
from src.run.inference.source import Source
from src.run.inference.writing import apart

_FACTS = ("mirror", "scales", "tile", "overlap", "tile_above")  # options that have a say in the numbers
_CAMERA = ("focal", "field_of_view")


class Measured:
    """What src.predict does with the checkpoints of a task of numbers."""

    def __init__(self, members: Sequence[Member], options: dict[str, Any], folder: Path) -> None:
        """Put the members together.

        Args:
            members: of the same fields.
            options: conf/predict.yaml as plain containers.
            folder: of the outputs.

        Raises:
            ValueError: an option is out of range, or the members were made for different fields or data.
        """
        self._fused = Fused(members, options["scales"], options["mirror"], options)
        cut = {key: options[key] for key in ("tile", "overlap", "tile_above", "batch_size")}
        self._predictor = Predictor(self._fused, **cut)
        self.description = self._fused.description
        self.outputs = Records(folder, self._fused.fields, self.description, options["overlay"])
        deep = any(isinstance(field, Depth) for field in self._fused.fields)
        facts = [*_FACTS, *(["depth_scale"] if deep else []), *(_CAMERA if options["points"] else [])]
        self.facts = {key: options[key] for key in facts}
        self.at_once = self._predictor.at_once

    def check(self, sources: Sequence[Source]) -> None:
        """See that no output would take the place of another.

        Raises:
            ValueError: some would.
        """
        apart(sources, self.outputs.all)

    def __call__(self, read: Read, index: Index) -> dict[Source, str]:
        """Predict and write a batch; what failed."""
        canvases = []
        try:
            for source, image in zip(read.sources, read.images, strict=True):
                canvases.append(
                    {field: field.canvas(source, image, self.outputs.folder) for field in self._fused.fields}
                )

            def write(number: int, top: int, values: Any) -> None:
                for field, rows in self._fused.apart(values).items():
                    canvases[number][field].write(top, rows)

            self._predictor(read.images, write)
            for source, image, canvas in zip(read.sources, read.images, canvases, strict=True):
                self.outputs.save(source, image, canvas, index.stamp(source))
                index.written(source)
        except Unpredictable as error:
            return {source: f"{source.path}: {error}" for source in read.sources}
        except OSError as error:
            raise ValueError(f"{self.outputs.folder}: cannot be written ({error.strerror or error})") from error
        finally:
            for part in (part for canvas in canvases for part in canvas.values()):
                part.drop()
        return {}

    def finish(self, complete: Sequence[Source]) -> None:
        """Say where depths did not fit into 16 bits."""
        cut = [(source, field) for source in complete for field in self.outputs.beyond(source)]
        if cut:
            more = f" and {len(cut) - 1} more" if len(cut) > 1 else ""
            print(
                f"{cut[0][0].name}{more}: {cut[0][1]} is farther in places than 16 bits of this depth_scale hold, and "
                "was cut there: say a smaller depth_scale, such as 256, or npy=true"
            )
