"""Every model's cost as a page of Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.run.profile.published import Published

Facts = Mapping[str, Any]  # of one model, as `src.profile.profiled` gives them

_HEAD = ("model", "parameters", "GFLOPs", "receptive field", "MiB, inference", "MiB, training")
_KINDS = ("inference", "training")
_MEASURED = ("images/s, inference", "images/s, training")


def page(rows: Mapping[str, Facts], counts: Sequence[tuple[Published, int]], command: str) -> str:
    """The page.

    Args:
        rows: facts by model, all of one size.
        counts: published counts, and ours beside each.
        command: that makes the page.
    """
    first = next(iter(rows.values()))
    head = _HEAD + (_MEASURED if "device" in first else ())
    return "\n".join(
        [
            "# What the models cost",
            "",
            f"Made by `{command}`.",
            "",
            *_explained(first),
            "",
            *_table(head, [_row(name, facts) for name, facts in rows.items()]),
            "",
            "## Parameters as published",
            "",
            "The layers are those of the source named; a test holds ours against each count.",
            "",
            *_table(
                ("model", "classes", "channels", "published", "ours", "source"),
                [[c.model, c.num_classes, c.channels, f"{c.params:,}", f"{ours:,}", c.source] for c, ours in counts],
            ),
        ]
    )


def _explained(facts: Facts) -> list[str]:
    height, width = facts["size"]
    lines = [
        f"One image of {height}×{width} with {facts['channels']} channels, {facts['num_classes']} classes. Parameters "
        "are those that are trained; operations are of the forward",
        "pass, a multiply-add counts two. The receptive field is of the centre pixel, in rows × columns.",
    ]
    lines += [
        f"Memory is what a batch of {facts['batch_size']} takes in tensors at the highest point in fp32: weights, and",
        "in training gradients and AdamW's moments. It is counted, not measured: the same on every machine.",
    ]
    if "device" in facts:
        lines.append(
            f"Speed is that of this batch on a {facts['device']} with {facts['threads']} threads in "
            f"{facts['precision']}: the median of a few calls."
        )
    return lines


def _row(name: str, facts: Facts) -> list[object]:
    field = facts["receptive_field"]
    reach = " × ".join(map(str, field)) if isinstance(field, list) else field
    row = [f"`{name}`", f"{facts['params']:,}", f"{facts['flops'] / 1e9:.1f}", reach]
    row += [f"{facts['memory_mb'][kind]:,.0f}" for kind in _KINDS]
    return row + [str(facts["images_per_second"][kind]) for kind in _KINDS if "device" in facts]


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return [_line(head), f"|{'---|' * len(head)}", *map(_line, rows)]


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |"
