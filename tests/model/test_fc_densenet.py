"""FC-DenseNet's published facts, its sizes and its memory-light form."""

import pytest
import torch
from torch import nn

from src.model.fc_densenet import FcDensenet

LAYERS = {56: (12, [4] * 11), 67: (16, [5] * 11), 103: (16, [4, 5, 7, 10, 12, 15, 12, 10, 7, 5, 4])}


def small(layers=(2, 3, 2), **options):
    torch.manual_seed(0)
    options = {"first": 4, "growth": 3, "dropout": 0.0} | options
    return FcDensenet(layers=layers, in_channels=3, out_channels=2, **options)


@pytest.mark.parametrize(("depth", "count"), [(56, 1_376_795), (67, 3_463_243), (103, 9_322_091)])
def test_the_number_of_parameters(depth, count):
    growth, layers = LAYERS[depth]
    with torch.device("meta"):
        network = FcDensenet(48, growth, layers, in_channels=3, out_channels=11)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_channels_after_each_block():
    with torch.device("meta"):
        network, seen = FcDensenet(in_channels=3, out_channels=11).eval(), []
        for block in [*network.down, network.bottom, *network.up]:
            block.register_forward_hook(lambda block, x, new: seen.append(x[0].shape[1] + new.shape[1]))
        network(torch.zeros(1, 3, 64, 64))
    assert seen == [112, 192, 304, 464, 656, 896, 1088, 816, 576, 384, 256]
    assert network.head.in_channels == 256


@pytest.mark.parametrize("depth", LAYERS)
def test_it_has_as_many_convolutions_as_its_name_says(depth):
    growth, layers = LAYERS[depth]
    with torch.device("meta"):
        network = FcDensenet(48, growth, layers, in_channels=3, out_channels=11)
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convs) == depth


def test_on_the_way_up_only_new_features_are_enlarged():
    network = small()
    seen = []
    network.enlarge[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    bottom = []
    network.bottom.register_forward_hook(lambda block, inputs, new: bottom.append(new))
    network(torch.rand(1, 3, 8, 12))
    assert seen[0].shape == (1, 3 * 3, 4, 6)
    assert seen[0] is bottom[0]


@pytest.mark.parametrize("height", [4, 5])
def test_what_is_enlarged_loses_its_last_row_to_an_even_skip(height):
    network = small(layers=(1, 1, 1)).eval()
    enlarged, joined = [], []
    network.enlarge[0].register_forward_hook(lambda layer, inputs, out: enlarged.append(out))
    network.up[0].register_forward_pre_hook(lambda block, inputs: joined.append(inputs[0]))
    network(torch.rand(1, 3, height, 7))
    assert enlarged[0].shape[2:] == (5, 7)
    assert torch.equal(joined[0][:, :3], enlarged[0][..., :height, :])


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 17), (33, 46), (8, 300)])
def test_it_answers_at_the_size_of_any_image(size):
    network = small((1, 1, 1, 1, 1, 1, 1)).eval()
    image = torch.rand(1, 3, *size)
    out = network(image)
    assert out.shape == (1, 2, *size)
    assert out.isfinite().all()


def test_a_small_image_is_extended_by_its_border():
    network = small((1, 1, 1)).eval()
    image = torch.rand(1, 3, 1, 4)
    torch.testing.assert_close(network(image), network(image.expand(-1, -1, 2, -1))[..., :1, :])


def test_checkpointing_changes_memory_alone():
    plain, light = small(dropout=0.3), small(dropout=0.3, checkpoint=True)
    image = torch.rand(2, 3, 12, 9)
    outputs = []
    for network in (plain, light):
        torch.manual_seed(7)
        out = network(image)
        out.square().sum().backward()
        outputs.append(out)
    assert torch.equal(*outputs)
    for mine, other in zip(plain.parameters(), light.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)
    for (key, mine), other in zip(plain.state_dict().items(), light.state_dict().values(), strict=True):
        assert torch.equal(mine, other), key


def test_checkpointing_keeps_less_for_the_way_back():
    image = torch.rand(1, 3, 16, 16)

    def kept(network: nn.Module) -> int:
        sizes = {}
        with torch.autograd.graph.saved_tensors_hooks(
            lambda x: sizes.setdefault(x.untyped_storage().data_ptr(), x) is None or x, lambda x: x
        ):
            network(image)
        return sum(x.untyped_storage().nbytes() for x in sizes.values())

    assert kept(small((8, 8, 8), checkpoint=True)) < 0.5 * kept(small((8, 8, 8)))


def test_it_starts_uniform_for_relu():
    conv = FcDensenet(in_channels=3, out_channels=11).down[0][0][2]
    bound = (6 / (48 * 9)) ** 0.5
    assert 0.98 * bound < conv.weight.abs().max() <= bound
    assert not conv.bias.any()


def test_an_even_number_of_blocks_is_refused():
    with pytest.raises(ValueError, match=r"layers has 4 entries, and the network needs an odd number"):
        small((1, 1, 1, 1))
