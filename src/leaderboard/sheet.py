"""The pictures of a run's last evaluation, and where which panel lies in them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from src.leaderboard.run import Run


@dataclass(frozen=True)
class Sheet:
    """A contact sheet as `src.callback.pictures` leaves it."""

    picture: Any  # PIL's Image
    places: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Of the images, a row each."""
        return self.places["names"]

    @property
    def shared(self) -> list[str]:
        """The columns that are the same whoever predicts: the image and its targets."""
        return [title for title in self.places["columns"] if title == "image" or title.endswith("target")]

    @property
    def predicted(self) -> list[str]:
        """The columns of predictions: one, or one for each field of several."""
        return [title for title in self.places["columns"] if title.endswith("prediction")]

    def panel(self, column: str, name: str) -> Any:
        """The part of the picture that is one column of one image."""
        left, width = self.places["columns"][column]
        top = self.places["tops"][self.names.index(name)]
        return self.picture.crop((left, top, left + width, top + self.places["height"]))


def sheet(run: Run) -> Sheet | None:
    """The pictures of val; None where there are none, or they do not tell their places."""
    from PIL import Image

    path = run.folder / "pictures" / "val.png"
    if not path.is_file():
        return None
    try:
        with Image.open(path) as picture:
            told = picture.info.get("panels")
            return Sheet(picture.convert("RGB"), json.loads(told)) if told else None
    except OSError:  # it is being written, or its run was killed while it was
        return None


def first(runs: Iterable[Run]) -> Sheet | None:
    """That of the first run that has one."""
    return next((found for run in runs if (found := sheet(run))), None)


def in_all(sheets: Iterable[Sheet], count: int) -> list[str]:
    """The first `count` images that are in all of them."""
    sheets = list(sheets)
    names = sheets[0].names if sheets else []
    return [name for name in names if all(name in one.names for one in sheets)][:count]
