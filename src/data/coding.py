"""How somebody's mask files write their classes: the options of `folder`, understood and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from src.data.color import distinct
from src.data.description import UNKNOWN
from src.data.values import Color

BINARY = {0: 0, 1: 1, 255: 1}  # 1-bit files give 0 and 1


@dataclass(frozen=True)
class Coding:
    """Classes, and the file value or color that stands for each."""

    classes: tuple[str, ...]
    colors: tuple[Color, ...]  # to draw them in
    values: dict[int, int] | dict[Color, int]  # in the file -> class index, 255 unknown
    things: tuple[str, ...] | None = None


def coding(
    classes: Sequence[str] | int | None,
    values: str | Mapping[Any, Any] | None = None,
    colors: Mapping[str, Sequence[int]] | Sequence[Sequence[int]] | None = None,
    void: Any = None,
    things: Sequence[str] | None = None,
) -> Coding:
    """The coding that the options of `Folder` describe; see there.

    Raises:
        ValueError: options that contradict each other, or that say too little.
    """
    names = _names(classes, values, colors)
    drawn = _colors(names, colors)
    found = Coding(names, drawn or distinct(len(names)), _values(names, values, drawn), _checked(things, names))
    for value in _void(void, colored=any(isinstance(value, tuple) for value in found.values)):
        if value in found.values:
            name = names[found.values[value]]
            raise ValueError(f"data.void={value} is the class {name!r} too: declare values without it")
        found = replace(found, values={**found.values, value: UNKNOWN})
    return found


def _names(classes: Any, values: Any, colors: Any) -> tuple[str, ...]:
    if classes is None and values == "binary":
        return "background", "foreground"
    if classes is None and isinstance(colors, Mapping):
        return tuple(str(name) for name in colors)
    if classes is None:
        raise ValueError("say data.classes=[NAME,...] in the order of the mask's values, or how many there are")
    names = tuple(str(name) for name in (range(classes) if isinstance(classes, int) else classes))
    if not names or len(set(names)) < len(names):
        raise ValueError(f"data.classes={list(names)}: each class needs a name of its own")
    return names


def _colors(names: tuple[str, ...], colors: Any) -> tuple[Color, ...]:
    """Color of each class; nothing if none are given."""
    if not colors:
        return ()
    if isinstance(colors, Mapping):
        if set(colors) != set(names):
            raise ValueError(f"data.colors is for {sorted(colors)}, the classes are {sorted(names)}")
        colors = [colors[name] for name in names]
    found = tuple(_color(color) for color in colors)
    if len(found) != len(names) or len(set(found)) < len(found):
        raise ValueError(f"data.colors needs one color for each of {len(names)} classes, no two alike, not {found}")
    return found


def _values(names: tuple[str, ...], values: Any, drawn: tuple[Color, ...]) -> dict[Any, int]:
    if isinstance(values, Mapping):
        return {int(value): _index(name, names) for value, name in values.items()}
    if values == "binary":
        if len(names) != 2:
            raise ValueError(f"data.values=binary needs two classes, not {list(names)}")
        return BINARY
    if values == "colors" and not drawn:
        raise ValueError("data.values=colors needs data.colors={NAME: [RED, GREEN, BLUE], ...}")
    if values == "colors" or (values is None and drawn):
        return {color: index for index, color in enumerate(drawn)}
    if values not in (None, "indices"):
        raise ValueError(f"data.values={values}: null, indices, binary, colors, or {{file value: class}}")
    return {index: index for index in range(len(names))}


def _index(name: Any, names: tuple[str, ...]) -> int:
    if name is None or name == UNKNOWN:
        return UNKNOWN
    if name in names:
        return names.index(name)
    if isinstance(name, int) and 0 <= name < len(names):
        return name
    raise ValueError(f"data.values maps to {name!r}, which is no class of {list(names)}, no index of one, nor null")


def _void(void: Any, colored: bool) -> list[Any]:
    if void is None:
        return []
    several = list(void) if isinstance(void, Sequence) else [void]
    if not colored:
        return [int(value) for value in several]
    single = len(several) == 3 and all(isinstance(value, int) for value in several)
    return [_color(color) for color in ([several] if single else several)]


def _color(color: Any) -> Color:
    if not isinstance(color, Sequence) or len(color) != 3 or not all(0 <= int(part) <= 255 for part in color):
        raise ValueError(f"{color} is no color: three numbers from 0 to 255, red, green and blue")
    red, green, blue = (int(part) for part in color)
    return red, green, blue


def _checked(things: Sequence[str] | None, names: tuple[str, ...]) -> tuple[str, ...] | None:
    strangers = sorted(set(things or ()) - set(names))
    if strangers:
        raise ValueError(f"data.things names {strangers}; the classes are {list(names)}")
    return None if things is None else tuple(things)
