"""Sections, tables and cells of the page."""

import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from src.leaderboard.board import UNSET, Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.run import Run

Told = Mapping[str, str]  # what a column means, by its heading
COLORS = 8  # configurations that have a colour of their own
_TALL = 30  # rows from which on a table scrolls


def section(title: str, told: str, content: str) -> str:
    """A heading, one sentence that says what is below, and that; the empty string for no content."""
    if not content:
        return ""
    return (
        f'\n<section id="{anchor(title)}"><h2>{escape(title)}</h2><p class="told">{escape(told)}</p>{content}</section>'
    )


def anchor(title: str) -> str:
    """What a link to a section says."""
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


def fold(summary: str, content: str) -> str:
    """Something that opens on a click."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def cell(text: str, kind: str = "", value: float | str | None = None, title: str = "") -> str:
    """A cell; `value` is what it is sorted by, where that is not its text."""
    sort = "" if value is None else f' data-v="{escape(str(value), quote=True)}"'
    return f"<td{_mark(kind, title)}{sort}>{escape(text)}</td>"


def axes(configuration: Configuration, names: Iterable[str]) -> list[str]:
    """A cell for each axis."""
    return [cell(configuration.axes.get(name, UNSET)) for name in names]


def row(cells: Iterable[str], of: str = "") -> str:
    """A row of cells; `of` says whose it is, see `whose`."""
    return f"<tr{of}>{''.join(cells)}</tr>"


def whose(*places: int) -> str:
    """Marks what belongs to these configurations, by their place on the board: it is hidden when one of them is."""
    return f' data-c="{" ".join(map(str, places))}"'


def swatch(place: int) -> str:
    """The style that gives a mark the colour of a configuration; the best ones have one of their own."""
    return f"--c: var(--c{place if place < COLORS else 'x'})"


def table(names: Sequence[str], rows: Sequence[str], kind: str = "", text: int = 0, told: Told | None = None) -> str:
    """A table whose first `text` columns are text and the others numbers; `told` explains a column to the mouse."""
    head = "".join(
        f"<th{_mark('' if i < text else 'number', (told or {}).get(name, ''))}>{escape(name)}</th>"
        for i, name in enumerate(names)
    )
    tall = " tall" if len(rows) > _TALL else ""
    return (
        f'<div class="wide{tall}"><table{_mark(kind)}><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def again(text: str, command: str) -> str:
    """A command that opens on a click on some text."""
    return f'<details class="command"><summary>{escape(text)}</summary><code>{escape(command)}</code></details>'


def link(run: Run, output: Path) -> str:
    """To the folder of a run, relative to where the page lies."""
    path = Path(os.path.relpath(run.folder, output)).as_posix()
    return f'<a href="{escape(quote(path), quote=True)}/">{escape(path)}</a>'


def name(board: Board, place: int) -> str:
    """A configuration in text, with a dot of its colour."""
    text = escape(board.name(board.configurations[place]))
    return f'<span class="dot" style="{swatch(place)}"></span>{text}'


def _mark(kind: str, title: str = "") -> str:
    marks = (("class", kind), ("title", title))
    return "".join(f' {key}="{escape(value, quote=True)}"' for key, value in marks if value)
