"""Depth, normals or labels at three scales, each refining what the coarser one says (Eigen and Fergus, 2015)."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Backbone
from src.model.normalize import Normalize
from src.model.upsample.bilinear_deconv import bilinear_filter

KERNEL, LEAST = 9, 11  # of the first filters of scales 2 and 3; pixels of which these and their pools leave a cell
COARSE, ENLARGED, CROP = 16, 4, 2  # of scale 1: its maps' reduction, how far they are enlarged, cells then cut off
STEPS, CENTRES = {2: 4, 3: 2}, {2: 6, 3: 5}  # by scale: pixels from cell to cell, and the one that cell 0 is centred on


class EigenFergus(nn.Module):
    """Scale 1 sees the whole image at once, scale 2 answers at ÷4, and scale 3 at ÷2 with scale 2's answers before it.

    An image of `size` goes through cell by cell as published. Of one of another size, the backbone's cells are averaged
    to as many as full1 is built for, and what full2 says is enlarged to scale 2, so that any size goes in. The last map
    is brought to the image's size: bilinear between the centres of its cells, beyond them as the outermost cells are.
    Several fields share scale 1 and the 9×9 convolutions.

    With one scale, what full2 says is the answer but for a 5×5 convolution, as smooth as ÷16 is: what the finer scales
    are compared with.

    The paper trains twice: scales=2, then scales=3 from there (`init=CKPT`) with `task.freeze=[backbone, scale1,
    scale2]`, so that no gradient passes scale 2's answers. Unfrozen, all scales learn together, from the last map.

    Args:
        backbone: `backbone(in_channels=)` builds a `Backbone`, whose deepest feature full1 sees.
        size: of the images that full1 and full2 are built for; 228×304 is the paper's crop of 240×320.
        scales: 1, 2 or 3.
        width: channels of scale 1's maps and of the 5×5 convolutions; the 9×9 ones have half as many again.
        fc_channels: of full1.
        dropout: share of full1 dropped in training; the paper's 0.5 is 0.8 for labels.
        factor: of the backbone's feature; the paper's 0.01 is for VGG16 on values up to 255.
        padding: pixels that scales 2 and 3 see on each side of the image, like its border; 0 as published, where maps
            end 5 pixels before the image does, and 5, with which they reach as far, for small images.
        in_channels: of the image.
        out_channels: of each field's map by name; of one field without a name a number. A field of one channel, such as
            depth, has a bias for each cell of scale 2.

    Raises:
        ValueError: the backbone leaves nothing of `size`, or there are more scales or fewer.
    """

    def __init__(
        self,
        backbone: Callable[..., Backbone],
        size: Sequence[int] = (228, 304),
        scales: int = 3,
        width: int = 64,
        fc_channels: int = 4096,
        dropout: float = 0.5,
        factor: float = 0.01,
        padding: int = 0,
        *,
        in_channels: int,
        out_channels: int | Mapping[str, int],
    ) -> None:
        super().__init__()
        self.alone, self.padding = isinstance(out_channels, int), padding
        fields = {"map": out_channels} if isinstance(out_channels, int) else dict(out_channels)
        self.backbone = backbone(in_channels=in_channels)
        _check(size, scales, max(self.backbone.reductions[-1], COARSE))
        cells = tuple(_cells(length + 2 * padding) for length in size)
        self.scale1 = _Whole(self.backbone, size, cells, width, fc_channels, dropout, factor)
        self.normalize = Normalize(in_channels)
        seen, answers = width + width // 2, sum(fields.values())
        fine = {"seen": seen, "depth": 3} if scales > 1 else {"seen": 0, "depth": 0}
        self.scale2 = _Scale(in_channels, nn.MaxPool2d(3, 2, ceil_mode=True), width, width, fields, **fine)
        biases = {name: nn.Parameter(torch.zeros(1, *cells)) for name, k in fields.items() if k == 1}
        self.scale2.bias = nn.ParameterDict(biases)
        self.shared = nn.Identity()
        own = seen - min(answers, seen // 2)  # as many of its maps give way, in the paper the first 4 of 96
        last = partial(_Scale, in_channels, nn.MaxPool2d(2, 1), answers, width, fields, seen=own, depth=2)
        self.scale3 = last() if scales == 3 else None

    def forward(
        self, image: Float[Tensor, "b c h w"]
    ) -> dict[str, Float[Tensor, "b _ h w"]] | Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> each field's map at its size; of one field without a name that map."""
        height, width = image.shape[-2:]
        seen = _extended(self.normalize(image), self.padding)
        fine = [] if self.scale2.first is None else [self.scale2.first(seen)]
        cells = fine[0].shape[-2:] if fine else tuple(map(_cells, seen.shape[-2:]))
        features = [torch.cat([self.scale1(self.backbone(image)[-1], (height, width), cells), *fine], 1)]
        features += [] if self.scale3 is None else [self.scale3.first(seen)]
        features = self.shared(features)  # where those who compare the fields' gradients listen
        maps = {name: stack(features[0]) for name, stack in self.scale2.stacks.items()}
        for name, bias in self.scale2.bias.items():
            maps[name] = maps[name] + F.interpolate(bias[None], cells, mode="bilinear")
        if self.scale3 is not None:
            rows, columns = features[1].shape[-2:]
            told = torch.cat(list(maps.values()), 1).repeat_interleave(2, -2).repeat_interleave(2, -1)
            last = torch.cat([told[..., :rows, :columns], features[1]], 1)
            maps = {name: stack(last) for name, stack in self.scale3.stacks.items()}
        scale = 2 if self.scale3 is None else 3
        placed = {
            name: _placed(x, STEPS[scale], CENTRES[scale] - self.padding, (height, width)) for name, x in maps.items()
        }
        return placed["map"] if self.alone else placed


class _Whole(nn.Module):
    """Scale 1: full connections from the backbone's feature to a map at ÷16, enlarged to scale 2's size."""

    kernel: Tensor

    def __init__(
        self, backbone: Backbone, size: Sequence[int], cells: tuple[int, ...], width: int, wide: int, dropout: float,
        factor: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.reduction, self.factor, self.cells = backbone.reductions[-1], factor, cells
        self.grid = tuple(length // self.reduction for length in size)
        self.coarse = tuple(length // COARSE for length in size)
        self.full1 = nn.Linear(backbone.channels[-1] * self.grid[0] * self.grid[1], wide)
        self.full2 = nn.Linear(wide, width * self.coarse[0] * self.coarse[1])
        self.dropout = nn.Dropout(dropout)
        for layer in (self.full1, self.full2):
            _started(layer)
        kernel = bilinear_filter(2 * ENLARGED - 1).repeat(width, 1, 1, 1)
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Float[Tensor, "b c i j"], image: tuple[int, int], size: Sequence[int]) -> Tensor:
        """The deepest feature of an image of that size -> [b width size]; cells at half an image's edge are left."""
        rows, columns = (max(1, length // self.reduction) for length in image)
        x = F.adaptive_avg_pool2d(x[..., :rows, :columns], self.grid) * self.factor
        x = self.full2(self.dropout(F.relu(self.full1(x.flatten(1)))))
        x = F.relu(x).unflatten(1, (-1, *self.coarse))
        x = F.conv_transpose2d(x, self.kernel, stride=ENLARGED, groups=len(self.kernel))
        x = x[..., CROP : CROP + self.cells[0], CROP : CROP + self.cells[1]]
        return F.interpolate(x, tuple(size), mode="bilinear")


class _Scale(nn.Module):
    """What scales 2 and 3 see of the image, and for each field the convolutions from that, and `more`, to its map."""

    def __init__(
        self, in_channels: int, pool: nn.Module, more: int, width: int, fields: Mapping[str, int], *, seen: int,
        depth: int,
    ) -> None:  # fmt: skip
        super().__init__()
        first = (nn.Conv2d(in_channels, seen, KERNEL, stride=2), nn.ReLU(inplace=True), pool) if seen else ()
        self.first = nn.Sequential(*first) if first else None
        self.stacks = nn.ModuleDict({name: _stack(seen + more, width, depth, k) for name, k in fields.items()})
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                _started(layer)


def _stack(channels: int, width: int, depth: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += [nn.Conv2d(width if index else channels, width, 5, padding=2), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(width, out_channels, 5, padding=2))


def _started(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


def _cells(length: int) -> int:
    """Of scale 2, for so many pixels: every second of the first convolution's."""
    return ((max(length, LEAST) - KERNEL) // 2 + 1) // 2


def _extended(image: Float[Tensor, "b c h w"], padding: int) -> Float[Tensor, "b c i j"]:
    """The border repeated on each side, and at the bottom and right until there is enough to see."""
    bottom, right = (padding + max(0, LEAST - length - 2 * padding) for length in image.shape[-2:])
    return F.pad(image, (padding, right, padding, bottom), mode="replicate")


def _placed(x: Float[Tensor, "b k i j"], step: int, first: int, size: tuple[int, int]) -> Float[Tensor, "b k h w"]:
    """A map whose cells are centred on the pixels first, first + step ... as one of the whole image."""
    between = tuple(step * (length - 1) + 1 for length in x.shape[-2:])
    x = F.interpolate(x, between, mode="bilinear", align_corners=True)
    rows, columns = (
        torch.arange(length, device=x.device).sub(first).clamp(0, covered - 1)
        for length, covered in zip(size, between, strict=True)
    )
    return x[..., rows[:, None], columns]


def _check(size: Sequence[int], scales: int, reduction: int) -> None:
    if scales not in (1, 2, 3):
        raise ValueError(f"model.scales={scales}: say 1, 2 or 3: details of ÷16, maps at ÷4, maps at ÷2")
    if min(size) < reduction:
        raise ValueError(
            f"model.size={list(size)}: this backbone's deepest feature is at ÷{reduction}, and nothing of such an "
            f"image is left there: say {reduction} pixels or more, or take a shallower model/backbone"
        )
