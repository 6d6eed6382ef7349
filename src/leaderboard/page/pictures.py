"""What the best configurations make of the same images, side by side."""

import base64
import io
from html import escape
from typing import Any

from src.leaderboard.board import Board
from src.leaderboard.page.markup import name as named
from src.leaderboard.page.markup import whose
from src.leaderboard.sheet import Sheet, first, in_all

_MOST = 8  # configurations
_BYTES = 1_500_000  # of all pictures together; configurations beyond that are left out, and it is said


def pictures(board: Board, count: int) -> str:
    """Images by row, the truth and each configuration's prediction by column, as WebP within the page."""
    sheets = {place: found for place, c in enumerate(board.configurations[:_MOST]) if (found := first(c.runs))}
    names = in_all(sheets.values(), count)
    if not names:
        return ""
    one, spent, columns = next(iter(sheets.values())), 0, []
    for head, mark, sheet, title in _columns(board, one, sheets):
        cells = [_encoded(sheet.panel(title, name)) for name in names]
        spent += sum(map(len, cells))
        if spent > _BYTES:
            break
        columns.append((head, mark, cells))
    heads = "".join(f"<th{mark}>{head}</th>" for head, mark, _ in columns)
    rows = "".join(
        "<tr>" + "".join(_picture(cells[i], mark, name) for _, mark, cells in columns) + "</tr>"
        for i, name in enumerate(names)
    )
    drawn = (
        f'<div class="wide"><table class="pictures"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
    return drawn + _missing(board, len(sheets), spent)


def _columns(board: Board, one: Sheet, sheets: dict[int, Sheet]) -> list[tuple[str, str, Sheet, str]]:
    """Heading, mark of the configuration, and which column of which sheet."""
    found = [(escape(title), "", one, title) for title in one.shared]
    for place, sheet in sheets.items():
        for title in sheet.predicted:
            part = title.removesuffix("prediction").rstrip(": ")  # the field, where there are several
            head = named(board, place) + (f" {escape(part)}" if part else "")
            found.append((head, whose(place), sheet, title))
    return found


def _encoded(panel: Any) -> str:
    file = io.BytesIO()
    panel.save(file, "WEBP", quality=80, method=2)
    return base64.b64encode(file.getvalue()).decode()


def _picture(data: str, mark: str, name: str) -> str:
    return f'<td{mark}><img alt="{escape(name, quote=True)}" src="data:image/webp;base64,{data}"></td>'


def _missing(board: Board, drawn: int, spent: int) -> str:
    told = []
    if len(board.configurations) > _MOST:
        told.append(f"The best {_MOST} of {len(board.configurations)} configurations.")
    if drawn < min(_MOST, len(board.configurations)):
        told.append(f"{min(_MOST, len(board.configurations)) - drawn} of them have no pictures of val.")
    if spent > _BYTES:
        told.append(f"Some are left out, for a page of at most {_BYTES / 1e6:.1f} MB of pictures.")
    return f'<p class="told">{" ".join(told)}</p>' if told else ""
