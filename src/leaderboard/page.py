"""The leaderboard as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from urllib.parse import quote

from src.leaderboard.board import Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.number import number
from src.leaderboard.plot import plot
from src.leaderboard.run import Run
from src.leaderboard.style import STYLE
from src.leaderboard.text import UNSET, figure, heading


def page(board: Board, output: Path) -> str:
    """The whole page; its links are relative to the folder `output`, where it will lie."""
    parts = [
        f"<h1>{escape(board.folder.name or str(board.folder))}</h1><p>{escape(heading(board))}</p>",
        _section("The same in all runs", _list(board.constant)),
        _section("Not an axis, and yet different", _list(board.mixed)),
        _section(f"{board.metric}, a dot for each seed", plot(board)),
        _section("Configurations", _configurations(board)),
        _section("IoU of each class", _classes(board)),
        _section("Runs that do not count", _left(board.left, output)),
        _section("Runs", _runs(board, output)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Runs in {escape(board.folder.name)}</title><style>{STYLE}</style></head>\n"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"\n<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _list(facts: dict[str, str]) -> str:
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items())
    return f"<dl>{items}</dl>" if items else ""


def _configurations(board: Board) -> str:
    varying, shown = board.varying, board.shown
    rows = [
        [*_axes(c, varying), _cell(str(len(c.runs)), "number"), *(_cell(figure(c, name), "number") for name in shown)]
        for c in board.configurations
    ]
    return _table([*varying, "n", *shown], rows, len(varying)) if rows else ""


def _classes(board: Board) -> str:
    classes, varying = board.classes, board.varying
    rows = [[*_axes(c, varying), *(_shaded(c.mean(key)) for key in classes.values())] for c in board.configurations]
    return _table([*varying, *classes], rows, len(varying)) if classes else ""


def _runs(board: Board, output: Path) -> str:
    varying, shown = board.varying, board.shown
    rows = [
        [*_axes(configuration, varying), _cell(run.seed, "number")]
        + [_cell(number(run.figures.get(name)), "number") for name in shown]
        + [f"<td>{_link(run, output)}</td>"]
        for configuration in board.configurations
        for run in configuration.runs
    ]
    whole = _table([*varying, "seed", *shown, "folder"], rows, len(varying)) if rows else ""
    return f"<details><summary>{len(rows)} runs and their folders</summary>{whole}</details>" if rows else ""


def _left(left: list[Run], output: Path) -> str:
    items = "".join(f"<li>{_link(run, output)}<br>{escape(run.trouble or '')}</li>" for run in left)
    return f"<ul>{items}</ul>" if items else ""


def _axes(configuration: Configuration, names: Iterable[str]) -> list[str]:
    return [_cell(configuration.axes.get(name, UNSET)) for name in names]


def _link(run: Run, output: Path) -> str:
    path = Path(os.path.relpath(run.folder, output)).as_posix()
    return f'<a href="{escape(quote(path), quote=True)}/">{escape(path)}</a>'


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _shaded(value: float | None) -> str:
    share = 0 if value is None else round(100 * min(max(value, 0), 1))
    return f'<td class="number shade" style="--share:{share}%">{number(value)}</td>'


def _table(names: list[str], rows: list[list[str]], left: int) -> str:
    head = "".join(f"<th{'' if i < left else ' class=number'}>{escape(name)}</th>" for i, name in enumerate(names))
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
