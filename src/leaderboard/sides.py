"""What the arms of a study make of the same images, side by side."""

from pathlib import Path
from typing import Any

from src.leaderboard.sheet import in_all, sheet
from src.leaderboard.study import Study

_GAP, _BAR = 4, 20  # pixels


def sides(found: Study, count: int, path: Path) -> list[str]:
    """Draw image, target and every arm's prediction, an image a row; what could not be drawn, and why.

    Of each arm the first seed is shown, from the pictures in its run folder: nothing is predicted anew, and an image
    is shown only if all arms have it.
    """
    sheets, missing = {}, []
    for arm in found.arms:
        if pictures := sheet(arm.runs[0]):
            sheets[found.name(arm)] = pictures
        else:
            missing.append(f"{found.name(arm)}: no pictures of val in {arm.runs[0].folder}")
    shared = in_all(sheets.values(), count)
    if not shared:
        return [*missing, "no image is in the pictures of all arms"]
    first = next(iter(sheets.values()))
    columns = {title: [first.panel(title, name) for name in shared] for title in first.shared}
    for arm, pictures in sheets.items():
        for title in pictures.predicted:
            part = title.removesuffix("prediction").rstrip(": ")  # the field, where there are several
            columns[f"{arm} {part}".strip()] = [pictures.panel(title, name) for name in shared]
    _drawn(columns).save(path)
    return missing


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
