"""Where the outputs of each file lie in which objects were found, and what is in them."""

import json
from pathlib import Path
from typing import Any

from jaxtyping import Num
from PIL import Image
from torch import Tensor

from src.data.description import Description
from src.run.folder import write
from src.run.inference.found import Found
from src.run.inference.picture import colored, cut_out, outlined
from src.run.inference.record import contents, stamp
from src.run.inference.source import Source
from src.run.inference.writing import plain, save_mask, stamped, whole

RESULTS = "results.json"  # of all files together


class Findings:
    """The folder of one command: a record of each file's objects, class maps, and what else is wanted."""

    def __init__(
        self, folder: Path, description: Description, masks: bool, overlay: bool, objects: bool, crops: bool
    ) -> None:
        """Nothing is written yet.

        Args:
            masks: whether objects have masks.
            overlay: whether images are wanted with their objects drawn.
            objects: whether label images are wanted.
            crops: whether a picture of each object is wanted.
        """
        self.folder, self._description = folder, description
        self._masks, self._overlay, self._objects, self._crops = masks, overlay, objects, crops

    def record(self, source: Source) -> Path:
        """The JSON file of one image's objects; it is written last, so that it stands for all the others."""
        return self.folder / "results" / f"{source.name}.json"

    def mask(self, source: Source) -> Path:
        """The class map, which is written where objects have masks."""
        return self.folder / f"{source.name}.png"

    def all(self, source: Source) -> list[Path]:
        """Everything that is written for a file; its crops are known when it has been."""
        wanted = {self.mask: self._masks, self._overlaid: self._overlay}
        wanted |= dict.fromkeys((self._numbered, self._colored), self._objects)
        crops = contents(self.record(source)).get("crops", ()) if self._crops else ()
        return [
            self.record(source),
            *(path(source) for path, yes in wanted.items() if yes),
            *(self.folder / name for name in crops),
        ]

    def save(self, source: Source, image: Num[Tensor, "c h w"], found: Found, stamp: str) -> None:
        """Write everything, the record last.

        Raises:
            ValueError: something cannot be written.
        """
        for name in contents(self.record(source)).get("crops", ()):  # of another run: there may have been more
            (self.folder / name).unlink(missing_ok=True)
        self.record(source).unlink(missing_ok=True)
        if self._overlay:
            self._picture(self._overlaid(source), outlined(image, found, self._description), quality=92)
        if self._objects:
            ids = found.ids()
            self._picture(self._numbered(source), ids)
            self._picture(self._colored(source), colored(image, ids, self._description))
        if self._masks:
            save_mask(self.mask(source), found.classes(), self._description.colors, stamp)
        crops = self._saved_crops(source, image, found) if self._crops else []
        content = {"prediction": stamp, "size": list(found.size), "objects": found.counts()}
        write(self.record(source), json.dumps({**content, "crops": crops, "results": found.results()}) + "\n")

    def _saved_crops(self, source: Source, image: Tensor, found: Found) -> list[str]:
        names = []
        for index, name in enumerate(found.names):
            picture = cut_out(image, found, index, self._description)
            if picture is not None:
                names.append(f"crops/{source.name}_{index + 1:03d}_{plain(name)}.png")
                self._picture(self.folder / names[-1], picture)
        return names

    def together(self, numbers: dict[Source, dict[str, Any]], categories: dict[str, int]) -> None:
        """Write one file of the results of all files, as COCO's tools read them.

        Args:
            numbers: of each file that is complete, what else its results say: the image's id.
            categories: class -> its id.
        """
        entries = []
        for source, known in numbers.items():
            for result in contents(self.record(source))["results"]:
                entries.append({**known, "category_id": categories[result["category"]], **result})
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        write(self.folder / RESULTS, f"[{lines}]\n")

    def account(self, source: Source) -> dict[str, Any]:
        """What predictions.json says of a complete prediction: its size and how many objects it has."""
        known = contents(self.record(source))
        return {key: known[key] for key in ("size", "objects")}

    def stamp(self, source: Source) -> str | None:
        """What the record that is there was made from; "" if it is not ours, None if there is none."""
        return stamp(self.record(source))

    def strangers(self, source: Source) -> list[Path]:
        """A record or a class map that is there and not ours."""
        found = [self.record(source)] if self.stamp(source) == "" else []
        return found + [path for path in [self.mask(source)] if self._masks and stamped(path) == ""]

    def _overlaid(self, source: Source) -> Path:
        return self.folder / "overlays" / f"{source.name}.jpg"

    def _numbered(self, source: Source) -> Path:
        return self.folder / "objects" / f"{source.name}.png"

    def _colored(self, source: Source) -> Path:
        return self.folder / "objects_colored" / f"{source.name}.png"

    def _picture(self, path: Path, array: Any, **options: Any) -> None:
        kind = "JPEG" if path.suffix == ".jpg" else "PNG"
        whole(path, lambda part: Image.fromarray(array).save(part, kind, **options))
