"""What the arms of a study make of the same images, side by side."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.leaderboard.study import Study

_GAP, _BAR = 4, 20  # pixels


@dataclass(frozen=True)
class _Sheet:
    """The pictures of a run's last evaluation, and where which panel lies in it."""

    picture: Any  # PIL's Image
    places: dict[str, Any]

    def panel(self, column: str, name: str) -> Any:
        left, width = self.places["columns"][column]
        top = self.places["tops"][self.places["names"].index(name)]
        return self.picture.crop((left, top, left + width, top + self.places["height"]))


def sides(found: Study, count: int, path: Path) -> list[str]:
    """Draw image, target and every arm's prediction, an image a row; what could not be drawn, and why.

    Of each arm the first seed is shown, from the pictures in its run folder: nothing is predicted anew, and an image
    is shown only if all arms have it.
    """
    sheets, missing = {}, []
    for arm in found.arms:
        sheet = _opened(arm.runs[0].folder / "pictures" / "val.png")
        if sheet:
            sheets[found.name(arm)] = sheet
        else:
            missing.append(f"{found.name(arm)}: no pictures of val in {arm.runs[0].folder}")
    first = next(iter(sheets.values()), None)
    names = [] if first is None else first.places["names"]
    shared = [name for name in names if all(name in sheet.places["names"] for sheet in sheets.values())][:count]
    if first is None or not shared:
        return [*missing, "no image is in the pictures of all arms"]
    columns = {title: [first.panel(title, name) for name in shared] for title in ("image", "target")}
    columns |= {title: [sheet.panel("prediction", name) for name in shared] for title, sheet in sheets.items()}
    _drawn(columns).save(path)
    return missing


def _opened(path: Path) -> _Sheet | None:
    """None where there is none, or one that does not tell its places."""
    from PIL import Image

    if not path.is_file():
        return None
    with Image.open(path) as picture:
        told = picture.info.get("panels")
        return _Sheet(picture.convert("RGB"), json.loads(told)) if told else None


def _drawn(columns: dict[str, list[Any]]) -> Any:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(14)
    widths = [max(panels[0].width, int(font.getlength(title)) + 4) for title, panels in columns.items()]
    heights = [panel.height for panel in next(iter(columns.values()))]
    size = (sum(widths) + _GAP * (len(widths) - 1), _BAR + sum(heights) + _GAP * (len(heights) - 1))
    sheet = Image.new("RGB", size, "white")
    left = 0
    for (title, panels), width in zip(columns.items(), widths, strict=True):
        ImageDraw.Draw(sheet).text((left + 2, 1), title, "black", font)
        top = _BAR
        for panel in panels:
            sheet.paste(panel, (left, top))
            top += panel.height + _GAP
        left += width + _GAP
    return sheet
