"""The receptive field of a model, followed through every operation of a forward pass that computes no values."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import WeakIdKeyDictionary

from src.run.profile import layout, windows
from src.run.profile.reach import Reach, strung, union
from src.run.profile.span import Span

SIDES = (512, 8192)  # of the images that are followed, the second where the first is too small to tell
WHOLE = "whole image"
_EVERYTHING = Reach(Span.constant(1), Span.constant(1))  # of a tensor of which each value depends on the whole image
_RULES = windows.RULES | layout.RULES


def field(model: nn.Module, channels: int) -> list[int] | str:
    """Rows and columns of pixels that can change the answer at the centre pixel, or "whole image".

    They count from the first such pixel to the last. Normalisation is that of evaluation. Other pixels may see one cell
    of the coarsest map more, by where they lie in theirs. An operation without a rule is taken to reach everything.

    Args:
        model: on the meta device.
        channels: of the image.
    """
    for side in SIDES:
        reach = _reach(model, channels, side)
        if reach is _EVERYTHING:
            return WHOLE
        if reach is None:
            return [0, 0]
        spans = [span.at(torch.tensor([len(span) // 2])) for span in reach.spans()]
        if all(span.first >= side // 8 and span.last < side - side // 8 for span in spans):  # far from the border
            return [int(span.last - span.first) + 1 for span in spans]
    return WHOLE


def _reach(model: nn.Module, channels: int, side: int) -> Reach | None:
    """Of the answer to a square image; None where no pixel reaches it."""
    with torch.no_grad(), _Followed() as followed:
        image = torch.empty(1, channels, side, side, device="meta")
        followed.reaches[image] = Reach.of_image(side)
        return followed.reaches.get(model.eval()(image))


class _Followed(TorchDispatchMode):
    """Knows the reach of each tensor that depends on the image, and the values of the indices that do not."""

    def __init__(self) -> None:
        super().__init__()
        self.reaches = WeakIdKeyDictionary()  # tensor -> Reach
        self.values = WeakIdKeyDictionary()  # integer tensor -> the same on the CPU
        self.cuts = WeakIdKeyDictionary()  # slice of a tensor -> that tensor, its rows and columns in there

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        name = function.overloadpacket.__name__
        inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if not any(tensor in self.reaches for tensor in inputs):
            self._compute(function, args, kwargs, inputs, outputs)
        if name == "slice":
            self._note(args, outputs[0])
        if name == "copy_" and args[0] in self.cuts:
            self._write(args)
        for output in outputs:
            reach = self._reach(function, name, args, inputs, output)
            if reach:
                self.reaches[output] = reach
        return result

    def _reach(self, function: Any, name: str, args: Any, inputs: list[Tensor], output: Tensor) -> Reach | None:
        known = [self.reaches[tensor] for tensor in inputs if tensor in self.reaches]
        if not known or name.startswith(("new_", "empty")) or name.endswith("s_like"):
            return None
        if any(reach is _EVERYTHING for reach in known):
            return _EVERYTHING
        shape = output.shape
        if name == "cat":
            found = self._chain(args, shape)
        elif name == "index":
            found = self._index(known[0], args)
        elif name == "max_unpool2d":
            found = windows.unpooled(known, shape)
        elif name in ("expand", "copy_") or _pointwise(function, name):
            found = _blended(known, shape)
        else:
            rule = _RULES.get(name)
            found = rule(known[0], args, shape) if rule and len(known) == 1 else None
        return found or _EVERYTHING

    def _chain(self, args: Any, shape: Sequence[int]) -> Reach | None:
        tensors, axis = args[0], (args[1] if len(args) > 1 else 0) % len(shape) - len(shape)
        known = [self.reaches[tensor] for tensor in tensors if tensor in self.reaches]
        if len({reach.axes for reach in known}) > 1 or any(reach.folded for reach in known):
            return None
        if axis not in known[0].axes:
            return union(known)
        return strung([self.reaches.get(tensor) or _constant(tensor, known[0]) for tensor in tensors], axis)

    def _index(self, reach: Reach, args: Any) -> Reach | None:
        """With one list of indices; of rows or columns, where its values are known."""
        places, ndim = args[1], args[0].ndim
        lists = [(axis - ndim, place) for axis, place in enumerate(places) if place is not None]
        (axis, place), more = lists[0], lists[1:]
        if more or place.ndim != 1 or (axis in reach.axes and place not in self.values):
            return None
        return reach.along(axis, reach.span(axis).at(self.values[place])) if axis in reach.axes else reach

    def _compute(self, function: Any, args: Any, kwargs: Any, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Indices are computed beside, for the meta device forgets them."""
        if len(outputs) != 1 or outputs[0].dtype != torch.int64 or any(tensor not in self.values for tensor in inputs):
            return
        given = tree_map_only(Tensor, lambda tensor: self.values[tensor], (args, kwargs))
        words = tree_map_only(torch.device, lambda _: torch.device("cpu"), given[1])
        self.values[outputs[0]] = function(*given[0], **words)

    def _note(self, args: Any, output: Tensor) -> None:
        source, (axis, cells) = args[0], layout.cut(args)
        if axis not in (-2, -1) or source in self.reaches:
            return
        base, places = self.cuts.get(source, (source, {}))
        earlier = places.get(axis)
        self.cuts[output] = (base, places | {axis: cells if earlier is None else earlier[cells]})

    def _write(self, args: Any) -> None:
        """What is written to a part of a tensor of constants reaches that part of it."""
        target, source = args[:2]
        base, places = self.cuts[target]
        if source not in self.reaches:
            return
        reach = self.reaches[source]
        if reach is not _EVERYTHING:
            cells = [places.get(axis, torch.arange(base.shape[axis])) for axis in (-2, -1)]
            reach = _constant(base, Reach(*reach.spans())).written(cells, reach)
        self.reaches[base] = reach


def _blended(known: list[Reach], shape: Sequence[int]) -> Reach | None:
    """Cell by cell."""
    if any(reach.folded for reach in known):
        return known[0] if len(known) == 1 else None
    if len({reach.axes for reach in known}) > 1:
        return None
    return union([reach.fitted(shape) for reach in known])


def _constant(tensor: Tensor, like: Reach) -> Reach:
    return like.of(*(Span.constant(tensor.shape[axis]) for axis in like.axes))


def _pointwise(function: Any, name: str) -> bool:
    """Whether torch says so, of the operation or of the one it does in place."""
    packet = getattr(torch.ops.aten, name.rstrip("_"), None)
    overloads = [function, *(getattr(packet, overload) for overload in (packet.overloads() if packet else ()))]
    return any(torch.Tag.pointwise in overload.tags for overload in overloads)
