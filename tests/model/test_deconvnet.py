"""DeconvNet as published: its parameters, layers and sizes, its switches and its small images."""

import pytest
import torch
from torch import nn

from src.model.deconvnet import Deconvnet


def small(fc_size=2, **options):
    torch.manual_seed(0)
    return Deconvnet(2, 4, fc_size, in_channels=3, out_channels=2, **options)


def test_the_number_of_parameters():
    with torch.device("meta"):
        network = Deconvnet(in_channels=3, out_channels=21)
    assert sum(parameter.numel() for parameter in network.parameters()) == 251_805_653


def test_224_cells_shrink_to_one_and_grow_again():
    found = []
    with torch.device("meta"):
        network = Deconvnet(in_channels=3, out_channels=21)
        for part in (*network.backbone, *network.expand):
            part.register_forward_hook(lambda part, inputs, output: found.append((*output.shape[1:3],)))
        assert network(torch.zeros(2, 3, 224, 224)).shape == (2, 21, 224, 224)
    assert found == [
        *((64, 224), (128, 112), (256, 56), (512, 28), (512, 14), (4096, 1)),
        *((512, 7), (512, 14), (256, 28), (128, 56), (64, 112), (64, 224)),
    ]


def test_deconvolutions_begin_as_published():
    layers = [layer for layer in small().modules() if isinstance(layer, nn.ConvTranspose2d)]
    weights = torch.cat([layer.weight.flatten() for layer in layers])
    assert len(layers) == 14
    assert weights.std().item() == pytest.approx(0.01, rel=0.05)
    assert all(not layer.bias.any() for layer in layers)


def test_unpooling_returns_to_the_switches():
    """What the last unpooling gives is zero but at the first pooling's maxima."""
    network, seen = small().eval(), {}
    network.backbone[0].register_forward_hook(lambda part, inputs, output: seen.update(pooled=output))
    network.expand[5].register_forward_pre_hook(lambda part, inputs: seen.update(unpooled=inputs[0]))
    nn.init.ones_(network.expand[4][-2].bias)  # of the batch norm before: nothing is zero by itself
    with torch.no_grad():
        network(torch.rand(1, 3, 65, 70))
    blocks = seen["pooled"][..., :64, :].unfold(-2, 2, 2).unfold(-2, 2, 2)
    places = seen["unpooled"][..., :64, :].unfold(-2, 2, 2).unfold(-2, 2, 2)
    assert seen["unpooled"].shape == seen["pooled"].shape == (1, 2, 65, 70)
    strict = blocks.flatten(-2).sort().values.diff()[..., -1] > 0  # where one value is the maximum
    filled = places.flatten(-2) != 0
    assert strict.any()
    assert torch.equal(filled.sum(-1), torch.ones_like(filled.sum(-1)))
    assert torch.equal(places.flatten(-2).argmax(-1)[strict], blocks.flatten(-2).argmax(-1)[strict])


@pytest.mark.parametrize(("side", "cells"), [(1, 1), (33, 1), (64, 1), (65, 2)])
def test_fc6_sees_as_much_as_it_needs(side, cells):
    network, seen = small().eval(), []
    for stage in (0, 5):
        network.backbone[stage].register_forward_hook(lambda part, inputs, output: seen.append(output.shape[-1]))
    with torch.no_grad():
        assert network(torch.rand(1, 3, side, side)).shape == (1, 2, side, side)
    assert seen == [max(side, 64), cells]


def test_a_small_image_is_extended_by_the_mean_colour():
    network = small().eval()
    image = torch.rand(1, 3, 20, 30)
    extended = network.normalize.mean.expand(1, 3, 40, 50).clone()
    extended[..., :20, :30] = image
    with torch.no_grad():
        torch.testing.assert_close(network(image), network(extended)[..., :20, :30])


def test_one_value_is_nothing_to_learn_from():
    with pytest.raises(ValueError, match=r"one value.* data.batch_size=2"):
        small().train()(torch.rand(1, 3, 64, 33))
    small().train()(torch.rand(1, 3, 65, 33))
    small().train()(torch.rand(2, 3, 64, 33))


def test_torchvisions_vgg_with_batch_norm_fits(tmp_path):
    state, network = {}, small()
    index = 0
    for layer in (layer for stage in network.backbone[:5] for layer in stage if not isinstance(layer, nn.ReLU)):
        state |= {f"features.{index}.{key}": torch.rand_like(v.float()) for key, v in layer.state_dict().items()}
        index += 1 if isinstance(layer, nn.Conv2d) else 2
    state |= {"classifier.0.weight": torch.rand(4, 16 * 4), "classifier.0.bias": torch.rand(4)}
    state |= {"classifier.3.weight": torch.rand(4, 4), "classifier.3.bias": torch.rand(4)}
    state |= {"classifier.6.weight": torch.rand(10, 4), "classifier.6.bias": torch.rand(10)}
    torch.save(state, tmp_path / "vgg16_bn.pth")
    network = small(weights=str(tmp_path / "vgg16_bn.pth"))
    torch.testing.assert_close(network.backbone[0][1].running_var, state["features.1.running_var"])
    torch.testing.assert_close(network.backbone[5][0].weight.flatten(1), state["classifier.0.weight"])
    assert torch.equal(network.backbone[5][1].weight, torch.ones(4))  # fc6 has no norm there


def test_it_is_trained_in_two_stages(run, shared, capsys):
    data = ["data=voc", f"data.root={shared}/voc-mini", "data.size=[64,64]", "data.batch_size=16"]
    small = [
        "model=deconvnet",
        "model.width=2",
        "model.fc_channels=4",
        "model.fc_size=2",
        "trainer.limit_val_batches=2",
    ]
    first = run(*data, *small, "transform=objects", "trainer.limit_train_batches=1", folder="a")
    capsys.readouterr()
    run(
        *data,
        *small,
        "transform=proposals",
        f"init={first}/checkpoints/best.ckpt",
        "trainer.limit_train_batches=1",
        folder="b",
    )
    assert "; 0 do not fit" in capsys.readouterr().out
