"""What an examination found, as people read it."""

from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from src.run.diagnosis.objects import SIZES

_WIDE = 150  # characters, where no terminal says how many it has


def show(found: dict[str, Any], rare: float) -> None:
    """Print the splits, their classes, the remarks, and every fault."""
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)
    console.print(Group(_splits(found["splits"]), ""))
    classes = _classes(found["splits"], rare)
    if classes.row_count:
        console.print(Group(classes, *_tails(found["splits"]), ""))
    if any(facts["objects"] for facts in found["splits"].values()):
        console.print(Group(*_objects(found["splits"]), ""))
    for remark in found["remarks"]:
        console.print(f"[yellow]note[/yellow]   {escape(remark)}")
    for fault in found["faults"]:
        console.print(f"[red]fault[/red]  {escape(fault['split'])}: {escape(fault['reason'])}")


def _splits(splits: dict[str, dict[str, Any]]) -> Table:
    spread = " min, median, max"
    table = Table(
        "split", "samples", "usable", f"height{spread}", f"width{spread}", "sizes", "images", "unknown", box=None
    )
    deep = any(facts["metres"] for facts in splits.values())
    if deep:
        table.add_column(f"metres{spread}")
    for split, facts in splits.items():
        images = ", ".join(f"{count} of {kind}" for kind, count in facts["images"].items())
        unknown = ", ".join(f"{name} {share:.2%}" for name, share in facts["unknown"].items())
        counts = (str(facts["samples"]), str(facts["usable"]))
        sizes = (_spread(facts["height"]), _spread(facts["width"]), str(facts["sizes"]))
        table.add_row(split, *counts, *sizes, images, unknown, *([_spread(facts["metres"], 3)] if deep else []))
    return table


def _spread(values: dict[str, int | float] | None, digits: int = 6) -> str:
    if values is None:
        return "-"
    return " ".join(
        f"{values[key]:.{digits}g}" for key in (("min", "median", "max") if values["min"] < values["max"] else ("min",))
    )


def _classes(splits: dict[str, dict[str, Any]], rare: float) -> Table:
    """A row per class, the most frequent first: its share of the pixels and the images that show it, by split."""
    table = Table("class", box=None)
    for split in splits:
        table.add_column(f"{split} pixels", justify="right")
        table.add_column("images", justify="right")
    first = next((facts["classes"] for facts in splits.values()), {})
    for name in sorted(first, key=lambda name: -first[name]["pixels"]):
        cells = []
        for facts in splits.values():
            one = facts["classes"][name]
            color = "yellow" if one["share"] < rare else "none"
            share = f"{one['share']:.3%}" if one["pixels"] else "none"
            cells += [f"[{color}]{share}[/]", f"[{color}]{one['images']}[/]"]
        table.add_row(escape(name), *cells)
    return table


def _objects(splits: dict[str, dict[str, Any]]) -> list[Table | str]:
    """Two tables: a row per split, and a row per class, the most frequent first."""
    counts = {split: facts["objects"] for split, facts in splits.items() if facts["objects"]}
    points = {name for facts in counts.values() for name in facts["keypoints"]}
    columns = ["split", "objects", "per image min, median, max", "images without", *SIZES, "crowds"]
    whole = Table(*columns, *(["keypoints labelled"] if points else []), box=None)
    each = Table("class", *(head for split in counts for head in (f"{split} objects", "images")), box=None)
    for split, facts in counts.items():
        sizes = [str(facts["sizes"][name]) for name in SIZES]
        cells = [split, str(facts["objects"]), _spread(facts["per_image"]), f"{facts['without']:.1%}", *sizes]
        shares = facts["keypoints"].values()
        labelled = [f"{sum(shares) / len(shares):.1%}" if shares else "-"] if points else []
        whole.add_row(*cells, str(facts["crowds"]), *labelled)
    first = next(iter(counts.values()))["classes"]
    for name in sorted(first, key=lambda name: -first[name]["objects"]):
        found = [facts["classes"][name] for facts in counts.values()]
        each.add_row(escape(name), *(str(one[key]) for one in found for key in ("objects", "images")))
    return [whole, "", each]


def _tails(splits: dict[str, dict[str, Any]]) -> list[str]:
    """A sentence for each split on how uneven its classes are."""
    said = []
    for split, facts in splits.items():
        if tail := facts["tail"]:
            rare = tail["classes"]
            under = f"{rare} {'class' if rare == 1 else 'classes'} under 1 % hold {tail['share']:.2%} of the pixels"
            uneven = f"there is {tail['ratio']:,.0f} times as much {tail['most']} as {tail['least']}"
            said.append(escape(f"{split}: {under if rare else 'no class is under 1 % of the pixels'}; {uneven}"))
    return said
