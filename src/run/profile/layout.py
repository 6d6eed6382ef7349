"""What becomes of rows and columns in operations that leave cells apart, and only name, move or choose them.

The rules are as those of `windows`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from src.run.profile.reach import Reach
from src.run.profile.windows import Rule


def same(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return reach


def cut(args: Sequence[Any]) -> tuple[int, Int[Tensor, " n"]]:
    """The axis of a slice, counted from the end, and the cells that it takes.

    Args:
        args: of aten.slice.
    """
    source, axis, start, stop, step = [*args, *(0, None, None, 1)[len(args) - 1 :]]
    cells = range(source.shape[axis])[slice(start, stop, step)]
    return axis % source.ndim - source.ndim, torch.tensor(cells, dtype=torch.long)


def _sliced(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    axis, cells = cut(args)
    return reach.along(axis, reach.span(axis).at(cells)) if axis in reach.axes else reach


def _split(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _apart(reach, [args[2] if len(args) > 2 else 0], args[0].ndim)


def _softened(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _apart(reach, [args[1]], args[0].ndim)


def _layer_norm(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _apart(reach, range(-len(args[1]), 0), args[0].ndim)


def _apart(reach: Reach, axes: Iterable[int], ndim: int) -> Reach | None:
    """The same, unless it is rows or columns that are worked on."""
    return None if {axis % ndim - ndim for axis in axes} & set(reach.axes) else reach


def _selected(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    axis = args[1] if len(args) > 1 else 0
    return _apart(reach, [axis], args[0].ndim) and reach.without({axis % args[0].ndim - args[0].ndim})


def _unsqueezed(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    new = args[1] % len(shape) - len(shape)
    return reach.moved([axis - (axis <= new) for axis in reach.axes])


def _squeezed(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    source, axes = args[0], args[1] if isinstance(args[1], list | tuple) else [args[1]]
    gone = {axis % source.ndim - source.ndim for axis in axes if source.shape[axis] == 1}
    return _apart(reach, gone, source.ndim) and reach.without(gone)


def _permuted(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    count = len(shape)
    places = [axis % count for axis in args[1]]
    return reach.moved([places.index(axis + count) - count for axis in reach.axes])


def _transposed(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    places = list(range(len(shape)))
    one, other = args[1:3]
    places[one], places[other] = places[other], places[one]
    return _permuted(reach, [args[0], places], shape)


def _viewed(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    before, outer = tuple(args[0].shape), min(reach.axes)
    if reach.folded:
        return Reach(*reach.spans(), reach.axes) if tuple(shape[:-1]) == reach.folded else None
    if len(shape) >= -outer and tuple(shape[outer:]) == before[outer:]:
        return reach
    if len(shape) == 2 and shape[-1] == before[-1] and -1 not in reach.axes:  # a linear layer does this, and undoes it
        return Reach(*reach.spans(), reach.axes, folded=before[:-1])
    return None


def _multiplied(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    """A linear layer mixes the channels of folded cells; any other product of matrices mixes cells."""
    return reach if reach.folded else None


RULES: dict[str, Rule] = {
    "native_batch_norm": same,  # by the running statistics
    "native_layer_norm": _layer_norm,
    "_softmax": _softened,
    "_log_softmax": _softened,
    "slice": _sliced,
    "select": _selected,
    "split": _split,
    "split_with_sizes": _split,
    "unbind": _selected,
    "unsqueeze": _unsqueezed,
    "squeeze": _squeezed,
    "permute": _permuted,
    "transpose": _transposed,
    "view": _viewed,
    "_unsafe_view": _viewed,
    "addmm": _multiplied,
    "mm": _multiplied,
    "detach": same,
    "alias": same,
    "_to_copy": same,
}
