"""The decoder of DPT: an independent implementation's layers, and which features it takes."""

from functools import partial

import pytest
import torch
from segmentation_models_pytorch.decoders.dpt.decoder import DPTDecoder
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.decoder.dpt import Dpt
from src.model.upsample.bilinear import Bilinear
from src.run.count import parameters

BASE, LARGE = (96, 192, 384, 768), (256, 512, 1024, 1024)


def decoder(widths=(2, 3, 4, 5), width=6, channels=(8,) * 4, reductions=(16,) * 4, upsample=Bilinear, **options) -> Dpt:
    torch.manual_seed(0)
    return Dpt(widths, width, **options, channels=channels, reductions=reductions, out_channels=2, upsample=upsample)


class Corners(nn.Module):
    """The paper's interpolation."""

    def __init__(self, *, channels: int, scale: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, size: tuple[int, int], pool: None = None) -> Tensor:
        return F.interpolate(x, size, mode="bilinear", align_corners=True)


@pytest.mark.parametrize(
    ("widths", "channels", "count"), [(BASE, 768, 19_147_712), (LARGE, 1024, 30_028_800)], ids=["base", "large"]
)
def test_it_has_the_published_layers(widths, channels, count):
    with torch.device("meta"):
        ours = decoder(widths, 256, [channels] * 4)
        theirs = DPTDecoder([channels] * 4, [16] * 4, True, "ignore", widths)
    assert parameters(ours) == count
    beside = parameters(ours.last)  # of the head, there
    unused = 2 * (9 * 256 * 256 + 2 * 256)  # of the deepest level, to which the paper adds nothing
    assert parameters(theirs) == count - beside + unused
    without = decoder(widths, 256, [channels] * 4, norm=None)
    assert count - parameters(without) == 15 * 256  # a norm has two numbers a channel, and the bias it replaces one


def test_it_computes_what_another_implementation_computes():
    ours = decoder(upsample=Corners).eval()
    theirs = DPTDecoder([8] * 4, [16] * 4, False, "ignore", (2, 3, 4, 5), 6).eval()
    with torch.no_grad():
        for mine, other in zip(ours.reassemble, theirs.reassemble_blocks, strict=True):
            mine.load_state_dict(dict(zip(mine.state_dict(), other.state_dict().values(), strict=True)))
        for mine, other in zip(ours.fusions, reversed(theirs.fusion_blocks), strict=True):
            blocks = [other.residual_conv_block2] if mine is ours.fusions[3] else [
                other.residual_conv_block1, other.residual_conv_block2]  # fmt: skip
            state = [value for part in [*blocks, other.project] for value in part.state_dict().values()]
            mine.load_state_dict(dict(zip(mine.state_dict(), state, strict=True)))
        theirs.fusion_blocks[0].residual_conv_block1 = nn.Identity()
        features = [torch.rand(1, 8, 4, 6) for _ in range(4)]
        ours.last = nn.Identity()
        torch.testing.assert_close(ours(features, {}), theirs(features, [None] * 4), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "reductions", [(16,) * 4, (4, 8, 16, 32), (4, 8, 16, 16), (1, 2, 4, 8, 16), (8, 8, 16, 32), (32,) * 4]
)
@pytest.mark.parametrize("size", [(64, 96), (33, 49), (1, 1)])
def test_features_of_any_four_steps_become_one_map_at_half_size(reductions, size):
    features = [torch.rand(2, 8, -(-size[0] // r), -(-size[1] // r)) for r in reductions]
    made = decoder(channels=[8] * len(reductions), reductions=reductions)
    out = made(features, {})
    assert (made.reduction, out.shape[:2]) == (2, (2, 6))
    assert all(2 * found >= length for found, length in zip(out.shape[-2:], size, strict=True))


def test_levels_are_reassembled_at_4_8_16_and_32():
    made = decoder()
    levels = [step(torch.rand(1, 8, 4, 6)).shape[-2:] for step in made.reassemble]
    assert [tuple(level) for level in levels] == [(16, 24), (8, 12), (4, 6), (2, 3)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (2, 3)}, r"model\.decoder\.widths=\[2, 3\]: say one for each of the four"),
        ({"reductions": (16, 16, 16), "channels": (8,) * 3}, "takes four features, .* gives 3 .* take model=dpt"),
        ({"reductions": (14,) * 4}, "powers of two, and this backbone gives ÷14, .* take one with patches of 16"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        decoder(**options)


def test_the_loss_falls():
    made = partial(decoder, channels=(8,) * 4)()
    head = nn.Conv2d(6, 1, 1)
    features = [torch.rand(2, 8, 4, 6) for _ in range(4)]
    target = torch.linspace(0, 1, 48).expand(2, 1, 32, 48)
    optimizer = torch.optim.Adam([*made.parameters(), *head.parameters()], 1e-2)
    values = []
    for _ in range(15):
        optimizer.zero_grad()
        values.append(F.mse_loss(head(made(features, {})), target))
        values[-1].backward()
        optimizer.step()
    assert values[-1] < 0.5 * values[0]
