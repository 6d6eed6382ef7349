"""The three-scale network: published sizes and counts, where its map lies, and what is learnt in its two steps."""

from functools import partial

import pytest
import torch
from torch import nn

from src.loss.eigen_fergus import EigenFergus as Loss
from src.model.backbone.alexnet import AlexNet
from src.model.backbone.plain import Plain
from src.model.backbone.vgg import Vgg
from src.model.eigen_fergus import EigenFergus
from src.run.count import parameters

BOTH = {"depth": 1, "normals": 3}
SMALL = {"width": 4, "fc_channels": 8, "factor": 1.0, "dropout": 0.0, "in_channels": 3}


def published(out_channels=BOTH, backbone=Vgg, scales=3) -> EigenFergus:
    with torch.device("meta"):
        return EigenFergus(backbone, scales=scales, in_channels=3, out_channels=out_channels)


def small(out_channels=BOTH, **options) -> EigenFergus:
    torch.manual_seed(0)
    backbone = partial(Plain, widths=[4, 4, 4, 4])
    return EigenFergus(backbone, **({"size": (48, 64)} | SMALL | options), out_channels=out_channels)


def shapes(network: EigenFergus, *size: int) -> dict[str, tuple[int, ...]]:
    seen = {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda part, given, found, name=name: seen.update({name: found}))
    network(torch.empty(1, 3, *size, device="meta"))
    return {name: tuple(found.shape[1:]) for name, found in seen.items() if isinstance(found, torch.Tensor)}


def test_full_connections_have_the_published_parameters():
    network = published()
    assert parameters(network.scale1.full1) == 132_124_672  # 512 maps of 7×9 cells -> 4096
    assert parameters(network.scale1.full2) == 69_747_328  # -> 64 maps of 14×19
    hidden = 2 * (25 * 160 * 64 + 64 + 2 * (25 * 64 * 64 + 64))  # 5×5, of both fields
    scores = 25 * 64 * 4 + 4
    assert parameters(network.scale2) == 81 * 3 * 96 + 96 + hidden + scores + 55 * 74
    finer = 2 * (25 * 96 * 64 + 64 + 25 * 64 * 64 + 64)
    assert parameters(network.scale3) == 81 * 3 * 92 + 92 + finer + scores
    assert parameters(network) == 218_083_678
    assert parameters(published(scales=2)) == 217_542_570


@pytest.mark.parametrize(
    ("out_channels", "count"),
    [(1, 217_357_684), (3, 217_359_530), (40, 217_468_976)],
    ids=["depth", "normals", "nyu40"],
)
def test_one_field_alone(out_channels, count):
    network = published(out_channels)
    assert parameters(network) == count
    assert network(torch.empty(1, 3, 228, 304, device="meta")).shape == (1, out_channels, 228, 304)


def test_maps_have_the_published_sizes():
    found = shapes(published(), 228, 304)
    assert found["scale1.full1"] == (4096,)
    assert found["scale1.full2"] == (64 * 14 * 19,)
    assert found["scale2.first.0"] == (96, 110, 148)
    assert found["scale1"] == (64, 55, 74)
    assert found["scale2.first"] == (96, 55, 74)
    assert {found[f"scale2.stacks.{field}"] for field in BOTH} == {(1, 55, 74), (3, 55, 74)}
    assert found["scale3.first"] == (92, 109, 147)  # the place of the other 4 is scale 2's
    assert {found[f"scale3.stacks.{field}"] for field in BOTH} == {(1, 109, 147), (3, 109, 147)}


def test_alexnet_is_another_scale_1():
    network = published(backbone=AlexNet)
    assert parameters(network.scale1.full1) == 256 * 7 * 9 * 4096 + 4096
    assert shapes(network, 228, 304)["scale3.stacks.depth"] == (1, 109, 147)


def test_cells_are_averaged_to_those_of_the_size_it_is_built_for():
    found = shapes(published(scales=2), 360, 480)
    assert found["scale1.full1"] == (4096,)
    assert found["scale1"][1:] == found["scale2.first"][1:] == (88, 118)


@pytest.mark.parametrize(("scales", "first", "step"), [(2, 6, 4), (3, 5, 2)])
def test_each_cell_is_placed_at_the_centre_of_what_it_sees(scales, first, step):
    """With stacks that pass on one cell of the pooled 9×9 mean, a ramp comes out where it went in."""
    network = small(1, scales=scales).eval()
    network.normalize = nn.Identity()
    scale = network.scale3 or network.scale2
    nn.init.constant_(scale.first[0].weight, 1 / 3 / 81)
    scale.first[2] = nn.AvgPool2d(scale.first[2].kernel_size, scale.first[2].stride)
    stack = next(iter(scale.stacks.values()))
    for conv in stack[::2]:
        nn.init.zeros_(conv.weight)
        conv.weight.data[:, -1, 2, 2] = 1.0
    for length in (47, 48, 49, 50):
        ramp = torch.arange(length).float().view(1, 1, -1, 1).expand(1, 3, -1, 64)
        column = network(ramp)[0, 0, :, 30].detach()
        inner = torch.arange(first, length - first - step)
        torch.testing.assert_close(column[inner], inner.float(), atol=1e-3, rtol=1e-4)
        assert torch.equal(column[:first], column[first].expand(first))


@pytest.mark.parametrize("padding", [0, 5])
def test_padding_decides_how_far_maps_reach(padding):
    network = small(1, padding=padding).eval()
    out = network(torch.rand(1, 3, 48, 64))[0, 0]
    same = int((out == out[:1]).all(1).sum())
    assert same == (1 if padding else 6)  # rows that repeat the first, itself among them


@pytest.mark.parametrize("size", [(48, 64), (1, 1), (17, 23), (90, 31)])
@pytest.mark.parametrize("scales", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 3, 5])
def test_any_size_goes_in(size, scales, padding):
    with torch.no_grad():
        maps = small(scales=scales, padding=padding).eval()(torch.rand(2, 3, *size))
    assert {name: tuple(x.shape) for name, x in maps.items()} == {name: (2, k, *size) for name, k in BOTH.items()}


def test_with_the_coarser_scales_frozen_only_scale_3_learns():
    network = small()
    for part in (network.backbone, network.scale1, network.scale2):
        part.requires_grad_(False)
    told = []
    network.scale2.stacks["depth"].register_forward_hook(lambda *args: told.append(args[2]))
    sum(x.square().sum() for x in network(torch.rand(2, 3, 48, 64)).values()).backward()
    assert not told[0].requires_grad
    moved = {name for name, p in network.named_parameters() if p.grad is not None}
    assert moved == {name for name, _ in network.named_parameters() if name.startswith("scale3.")}


def test_scale_3_begins_with_the_weights_of_scale_2s_training():
    first, second = small(scales=2), small(scales=3)
    left = second.load_state_dict(first.state_dict(), strict=False)
    assert left.unexpected_keys == []
    assert all(key.startswith("scale3.") for key in left.missing_keys)


def test_one_scale_is_the_whole_view_and_a_convolution():
    network = published(scales=1)
    view = parameters(network.backbone) + parameters(network.scale1.full1) + parameters(network.scale1.full2)
    assert parameters(network) == view + 25 * 64 * 4 + 4 + 55 * 74
    assert network(torch.empty(1, 3, 228, 304, device="meta"))["normals"].shape == (1, 3, 228, 304)
    first = small(scales=1)
    with torch.no_grad():
        coarse, cells = torch.zeros(1, 4, 10, 14), {}
        first.scale1.forward = lambda feature, image, size: cells.setdefault(size, coarse)
        out = first.eval()(torch.rand(1, 3, 48, 64))
    assert list(cells) == [(10, 14)]  # as scale 2 has
    assert all(torch.equal(x, x[..., :1, :1].expand_as(x)) for x in out.values())  # nothing of the image but scale 1


def test_scale_3_sees_what_scale_2_says_twice_as_large():
    network = small(1).eval()
    seen = []
    network.scale3.stacks["map"].register_forward_hook(lambda *args: seen.append(args[1][0]))
    network.scale2.stacks["map"].register_forward_hook(lambda *args: seen.append(args[2]))
    network.scale2.bias["map"].data.fill_(3.0)
    network(torch.rand(1, 3, 48, 64))
    answer, given = seen
    rows, columns = given.shape[-2:]
    twice = (answer + 3.0).repeat_interleave(2, 2).repeat_interleave(2, 3)[..., :rows, :columns]
    torch.testing.assert_close(given[:, :1], twice)
    assert given.shape[1] == 6  # (4 + 2) - 1 of its own


def test_fields_share_what_passes_through_shared():
    network, heard = small(), []
    network.shared.register_forward_hook(lambda module, given, features: heard.extend(features))
    maps = network(torch.rand(1, 3, 48, 64))
    assert len(heard) == 2  # what scales 2 and 3 see
    for x in maps.values():
        assert all(g.abs().sum() > 0 for g in torch.autograd.grad(x.square().sum(), heard, retain_graph=True))


def test_one_channel_has_a_bias_per_cell_and_others_none():
    assert {name: tuple(x.shape) for name, x in published().scale2.bias.items()} == {"depth": (1, 55, 74)}


def test_the_loss_falls():
    network, loss = small(1), Loss()
    torch.manual_seed(0)
    image = torch.rand(2, 3, 48, 64)
    target = torch.linspace(0.5, 2, 64).log().expand(2, 1, 48, 64)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    values = []
    for _ in range(12):
        optimizer.zero_grad()
        values.append(loss(network(image), target))
        values[-1].backward()
        optimizer.step()
    assert values[-1] < 0.5 * values[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": 4}, r"model\.scales=4: say 1, 2 or 3"),
        ({"size": (48, 12)}, r"model\.size=\[48, 12\]: this backbone's deepest feature is at ÷16, .* say 16 pixels"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)
