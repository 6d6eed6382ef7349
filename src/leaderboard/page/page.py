"""The report as one HTML page that needs nothing else: its style, script and pictures are in it."""

import time
from html import escape
from pathlib import Path

from src.leaderboard.board import Board
from src.leaderboard.number import counted, with_spread
from src.leaderboard.page import comparisons as versus
from src.leaderboard.page.classes import classes
from src.leaderboard.page.costs import costs
from src.leaderboard.page.curves import curves, figure
from src.leaderboard.page.dots import dots
from src.leaderboard.page.drawn import drawn
from src.leaderboard.page.effects import effects
from src.leaderboard.page.interactions import interactions
from src.leaderboard.page.leaderboard import leaderboard
from src.leaderboard.page.markup import anchor, section
from src.leaderboard.page.pictures import pictures
from src.leaderboard.page.runs import left, runs
from src.leaderboard.statistic.design import design
from src.leaderboard.statistic.effect import effects as main_effects
from src.leaderboard.statistic.interaction import interactions as pairs

_STYLE, _SCRIPT = (Path(__file__).with_name(name).read_text(encoding="utf8") for name in ("page.css", "page.js"))


def page(board: Board, output: Path, images: int = 4, refresh: int | None = None) -> str:
    """The whole page.

    Args:
        board: what it tells of.
        output: the folder where it will lie; its links are relative to it.
        images: how many are shown with every prediction.
        refresh: seconds after which a browser loads it again; None for never.
    """
    sections = [(title, told, content) for title, told, content in _sections(board, output, images) if content]
    links = "".join(f'<a href="#{anchor(title)}">{escape(title)}</a>' for title, _, _ in sections)
    again, when = "", ""
    if refresh:
        again = f'<meta http-equiv="refresh" content="{refresh}">'
        when = f"<p>Written at {time.strftime('%H:%M:%S')}; loads itself again every {refresh} s.</p>"
    name = escape(board.folder.name or str(board.folder))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Runs in {name}</title><style>{_STYLE}</style></head>\n<body><header><h1>{name}</h1>"
        f"<p>{_summary(board)}</p>{when}<nav>{links}</nav></header>"
        f"{''.join(section(*parts) for parts in sections)}\n<script>{_SCRIPT}</script></body></html>\n"
    )


def _summary(board: Board) -> str:
    """The answer in one line."""
    counts = f"{counted(len(board.runs), 'run')} of {counted(len(board.configurations), 'configuration')}"
    counts += (
        f", {len(board.left)} more that {'does' if len(board.left) == 1 else 'do'} not count" if board.left else ""
    )
    if not board.configurations or board.configurations[0].mean(board.metric) is None:
        return f"{counts}."
    best = board.configurations[0]
    shown = with_spread(best.mean(board.metric), best.spread(board.metric))
    order = "lowest" if board.ascending else "highest"
    return f"{counts}. The {order} {escape(board.metric)} has <b>{escape(board.name(best))}</b>: {shown}."


def _sections(board: Board, output: Path, images: int) -> list[tuple[str, str, str]]:
    """Title, the sentence under it, and content; no content is no section."""
    metric, found = board.metric, design(board)
    followers = "; ".join(f"{axis} goes with {leader}" for axis, leader in board.following.items())
    followers = f" Not shown: {followers}." if followers else ""
    return [
        (
            "Leaderboard",
            f"One row per configuration, best {metric} first: mean ± sample standard deviation over n seeds, and the "
            f"95 % t interval of the mean. The arrow opens the command that makes a row again.{followers}",
            leaderboard(board),
        ),
        (
            "Seeds",
            f"{metric} of every run as a dot; the band is ± one sample standard deviation, the thin line the mean's "
            "95 % interval, open where it goes on beyond the drawing.",
            dots(board),
        ),
        (
            "Axes",
            f"What each value of an axis has in {metric} on average over the same choices of all other axes, with its "
            "95 % interval (analysis of variance: the spread of seeds, pooled over all cells); in brackets how far "
            "it is from the best.",
            effects(main_effects(found, board.ascending), metric),
        ),
        (
            "Two axes together",
            f"Mean {metric} at every pair of values; where the axes merely add up, all rows look alike. The pairs that "
            "do most together come first.",
            interactions(pairs(found)),
        ),
        ("Drawn values", f"{metric} at each value of an axis that was drawn.", drawn(board, found.drawn)),
        ("Comparisons", versus.told(board), versus.comparisons(board)),
        (
            "Curves",
            f"{figure(board)} after each evaluation: mean over seeds, and a band of ± one sample standard deviation.",
            curves(board),
        ),
        (
            "Score against cost",
            "A point per configuration; on the line are those that no other one beats in both.",
            costs(board),
        ),
        ("Classes", "The mean over seeds for each class; darker is better.", classes(board)),
        (
            "Pictures",
            "The same images of val, what is true, and what the first seed of each configuration makes of them.",
            pictures(board, images),
        ),
        (
            "Runs that do not count",
            "Failed, stopped, still running, or run again since: they are in no figure above.",
            left(board, output),
        ),
        ("Runs", "Every run behind the figures.", runs(board, output)),
        ("The same in all runs", "What was not varied, and what all runs ran on.", _list(board.constant)),
        (
            "Different without being an axis",
            "What differs between runs though nobody asked for it: look here before you believe a difference.",
            _list(board.mixed),
        ),
    ]


def _list(facts: dict[str, str]) -> str:
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items())
    return f"<dl>{items}</dl>" if items else ""
