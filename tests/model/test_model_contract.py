"""What every model, and every part of one, keeps: any size in, the answer at that size out, trainable and storable."""

import io
from itertools import cycle, product
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn

from tests.narrow import MODELS, dense

CONF = Path(__file__).resolve().parents[2] / "conf"
NARROW = {  # backbones as well
    **{f"vgg{depth}{norm}": ["model.backbone.width=4"] for depth in (11, 13, 16, 19) for norm in ("", "_bn")},
    "alexnet": ["model.backbone.widths=[8,12,16,16,12]"],
    "alexnet_torchvision": ["model.backbone.widths=[8,12,16,16,12]"],
    "plain": ["model.backbone.widths=[4,6,8,8]"],
    "segnet_basic": ["model.backbone.width=4"],
}
WIDE = ("resnet101", "resnet152", "resnext101", "wide_resnet50", "wide_resnet101")  # shapes alone: learning is as below


def build(*overrides: str, in_channels: int = 3, out_channels: int = 2) -> nn.Module:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=list(overrides))
    torch.manual_seed(0)
    return instantiate(config.model, _convert_="all")(in_channels=in_channels, out_channels=out_channels)


def names(group: str) -> list[str]:
    return sorted(file.stem for file in (CONF / "model" / group).glob("*.yaml"))


def model(name: str, **channels: int) -> nn.Module:
    return build(f"+model={name}", *MODELS.get(name, []), **channels)


def answers(network: nn.Module, in_channels: int, out_channels: int, *sizes: tuple[int, int]) -> None:
    network.eval()
    for height, width in sizes:
        with torch.no_grad():
            out = network(torch.rand(1, in_channels, height, width))
        assert out.shape == (1, out_channels, height, width)
        assert out.isfinite().all()


def learns(network: nn.Module, in_channels: int) -> None:
    """A gradient reaches every parameter, also where some were initialised to zero."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    network.train()
    network(torch.rand(2, in_channels, 40, 70)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("name", dense("model"))
@pytest.mark.parametrize(("in_channels", "out_channels"), [(1, 2), (3, 5), (4, 2)])
def test_models_answer_at_the_size_of_any_image(name, in_channels, out_channels):
    network = model(name, in_channels=in_channels, out_channels=out_channels)
    answers(network, in_channels, out_channels, (17, 23), (1, 1), (64, 64), (3, 90))


@pytest.mark.parametrize("name", dense("model"))
def test_models_learn_in_every_parameter(name):
    learns(model(name), 3)


@pytest.mark.parametrize("name", dense("model"))
def test_models_come_back_from_their_state(name):
    network, image, file = model(name).train(), torch.rand(2, 3, 33, 40), io.BytesIO()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
        network(image)  # moves the running statistics
        torch.save(network.state_dict(), file)
        file.seek(0)
        fresh = model(name)
        assert not torch.equal(fresh.eval()(image), network.eval()(image))
        fresh.load_state_dict(torch.load(file, weights_only=True))
        assert torch.equal(fresh.eval()(image), network.eval()(image))


@pytest.mark.parametrize("name", dense("model"))
def test_models_compute_the_same_in_channels_last(name):
    network, image = model(name).eval(), torch.rand(2, 3, 33, 40)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
        expected = network(image)
        fast = network.to(memory_format=torch.channels_last)(image.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(fast, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "in_channels"), list(zip(names("backbone"), cycle([1, 3, 4]))))
def test_backbones_publish_what_they_give(name, in_channels):
    parts = [f"model/backbone={name}", *NARROW.get(name, []), "model/decoder=fcn32s"]
    with torch.device("meta" if name in WIDE else "cpu"), torch.no_grad():
        network = build("+model=unet", *parts, in_channels=in_channels)
        backbone = network.backbone.eval()
        features = backbone(torch.rand(1, in_channels, 33, 50))
    assert [f.shape[1] for f in features] == list(backbone.channels)
    assert [f.shape[2:] for f in features] == [(-(-33 // r), -(-50 // r)) for r in backbone.reductions]
    if name not in WIDE:
        answers(network, in_channels, 2, (17, 23))
        learns(network, in_channels)


@pytest.mark.parametrize("name", names("decoder"))
def test_decoders_answer_and_learn(name):
    network = build("+model=unet", f"model/decoder={name}")
    answers(network, 3, 2, (17, 23), (1, 1))
    learns(network, 3)


@pytest.mark.parametrize(
    ("name", "decoder"),  # FCN-8s enlarges by 8 at once, which no pooling did
    sorted({*product(names("upsample"), ["unet", "fcn8s", "segnet", "plain"])} - {("max_unpool", "fcn8s")}),
)
def test_upsampling_operators_work_in_every_decoder(name, decoder):
    backbone = (
        ["model/backbone=vgg16_bn", "model.backbone.width=4"] if name == "max_unpool" else ["model/backbone=resnet18"]
    )
    network = build("+model=unet", f"model/upsample={name}", f"model/decoder={decoder}", *backbone)
    answers(network, 3, 2, (17, 23), (1, 1))
    learns(network, 3)


def test_the_parts_combine_freely():
    parts = ["model/backbone=resnet34", "model/decoder=fcn8s", "model/upsample=transposed"]
    network = build("+model=unet", *parts, out_channels=4)
    answers(network, 3, 4, (31, 45))
    assert type(network.decoder).__name__ == "Fcn"
    assert type(network.decoder.upsamples[0]).__name__ == "Transposed"


def test_groupnorm_models_hold_no_batch_statistics():
    network = model("unet_groupnorm")
    kinds = [type(layer).__name__ for layer in network.modules()]
    assert "BatchNorm2d" not in kinds
    assert kinds.count("Group") == 20 + 10  # of ResNet-18 and the decoder
