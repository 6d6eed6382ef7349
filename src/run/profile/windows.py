"""How far the operations reach that make a cell from several: convolutions, poolings, interpolations, sums.

A rule takes the reach of the map, the operation's arguments and the shape of its result, and gives the reach of the
result, or None where a cell then depends on all of the map.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from src.run.profile.reach import Reach, union
from src.run.profile.span import Span

Rule = Callable[[Reach, Sequence[Any], Sequence[int]], Reach | None]


def _convolution(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    _, weight, _, stride, padding, dilation, transposed, *_ = args
    method = Span.spread if transposed else Span.window
    return _each(reach, method, weight.shape[-2:], stride, padding, dilation, shape[-2:])


def _max_pool(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    kernel, stride, padding, dilation = [*args[1:5], *([], 0, 1)[len(args) - 2 :]][:4]
    numbers = (_two(kernel), _two(stride or kernel), _two(padding))
    slid = _each(reach, Span.window, *numbers, _two(dilation), shape[-2:])
    return slid and Reach(slid.rows, slid.columns, pooling=numbers)


def _average_pool(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    pooled = _max_pool(reach, args[:4], shape)
    return pooled and Reach(pooled.rows, pooled.columns)


def _average_channels(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    """Over three axes, of which only the channels' is pooled: local response normalisation."""
    return reach if list(args[1][1:]) == [1, 1] and reach.axes == (-2, -1) else None


def _adaptive_pool(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _each(reach, Span.divided, shape[-2:])


def unpooled(reaches: Sequence[Reach], shape: Sequence[int]) -> Reach | None:
    """After max-unpooling values by indices: a cell may be chosen by any window it lies in.

    Args:
        reaches: of values and indices.
        shape: of the result.
    """
    pooling = next((reach.pooling for reach in reaches if reach.pooling), None)
    if pooling is None or any(reach.axes != (-2, -1) for reach in reaches):
        return None
    return _each(Reach(*union(reaches).spans()), Span.spread, *pooling, (1, 1), shape[-2:])


def _bilinear(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    _, _, corners, *scales = args
    spans = zip(reach.spans(), shape[-2:], strict=True)
    if corners:
        ratios = [(len(span) - 1) / max(cells - 1, 1) for span, cells in spans]
    else:
        ratios = _ratios(reach, scales, shape)
    return _each(reach, Span.stretched, ratios, shape[-2:], (corners, corners))


def _nearest(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _each(reach, Span.sampled, _ratios(reach, args[2:], shape), shape[-2:])


def _ratios(reach: Reach, scales: Sequence[Any], shape: Sequence[int]) -> list[float]:
    """Old cells per new cell: by the factors that were asked for, else by the sizes."""
    given = scales[0] if scales and isinstance(scales[0], list | tuple) else scales
    factors = given if len(given) == 2 else (None, None)
    sizes = zip(factors, reach.spans(), shape[-2:], strict=True)
    return [1 / factor if factor else len(span) / cells for factor, span, cells in sizes]


def _shuffled(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _each(reach, Span.sampled, (1 / args[1], 1 / args[1]), shape[-2:])


def _padded(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    widths = {-1 - place: args[1][2 * place : 2 * place + 2] for place in range(len(args[1]) // 2)}
    before_and_after = [widths.get(axis, (0, 0)) for axis in reach.axes]
    return reach.of(*(span.padded(*ends) for span, ends in zip(reach.spans(), before_and_after, strict=True)))


def _mirrored(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _bordered(reach, args, lambda places, end: end - (places.abs() - end).abs())


def _repeated(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    return _bordered(reach, args, lambda places, end: places.clamp(0, end))


def _bordered(reach: Reach, args: Sequence[Any], inside: Callable[[torch.Tensor, int], torch.Tensor]) -> Reach | None:
    left, right, top, bottom = args[1]
    spans = []
    for span, before, after in zip(reach.spans(), (top, left), (bottom, right), strict=True):
        spans.append(span.at(inside(torch.arange(-before, len(span) + after), len(span) - 1)))
    return reach.of(*spans) if reach.axes == (-2, -1) else None


def _summed(reach: Reach, args: Sequence[Any], shape: Sequence[int]) -> Reach | None:
    source, axes, keep = args[0], args[1], len(args) > 2 and args[2]
    gone = {axis % source.ndim - source.ndim for axis in axes}
    for axis in gone & set(reach.axes):
        span = reach.span(axis)
        reach = reach.along(axis, span.over(torch.arange(len(span))[:, None]))
    if keep:
        return reach
    return None if gone & set(reach.axes) else reach.without(gone)


def _each(reach: Reach, method: Callable[..., Span], *numbers: Sequence[Any]) -> Reach | None:
    """A method of the spans, with the numbers of rows and of columns, where these are the last two axes."""
    if reach.axes != (-2, -1):
        return None
    return reach.of(*(method(span, *own) for span, *own in zip(reach.spans(), *numbers, strict=True)))


def _two(number: int | Sequence[int]) -> tuple[int, int]:
    pair = [number] if isinstance(number, int) else list(number)
    return pair[0], pair[-1]


RULES: dict[str, Rule] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "avg_pool2d": _average_pool,
    "avg_pool3d": _average_channels,
    "_adaptive_avg_pool2d": _adaptive_pool,
    "adaptive_max_pool2d": _adaptive_pool,
    "upsample_bilinear2d": _bilinear,
    "upsample_nearest2d": _nearest,
    "pixel_shuffle": _shuffled,
    "constant_pad_nd": _padded,
    "reflection_pad2d": _mirrored,
    "replication_pad2d": _repeated,
    "mean": _summed,
    "sum": _summed,
    "amax": _summed,
}
