"""FCN-32s, 16s and 8s on VGG16 as published: sizes, parameters, alignment, weights, and one begun from the other."""

import pytest
import torch
from torch import nn

from src.model.fcn import CROPS, Fcn
from src.run.checkpoint import take

SYSTEMS = {"32s": [], "16s": [16], "8s": [8, 16]}


def small(skips=(8, 16), **options):
    torch.manual_seed(0)
    return Fcn(skips, width=4, fc_channels=8, dropout=0.0, in_channels=3, out_channels=2, **options).eval()


@pytest.mark.parametrize(
    ("system", "classes", "count"),
    [
        ("32s", 21, 134_346_581),
        ("16s", 21, 134_357_354),
        ("8s", 21, 134_362_751),
        ("8s", 60, 134_552_564),
        ("8s", 40, 134_455_224),
    ],
)
def test_the_number_of_parameters(system, classes, count):
    with torch.device("meta"):
        network = Fcn(SYSTEMS[system], in_channels=3, out_channels=classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize(
    ("side", "expected"),
    [(500, [698, 349, 175, 88, 44, 22, 16, 16, 544]), (224, [422, 211, 106, 53, 27, 14, 8, 8, 288])],
)
def test_an_image_shrinks_and_grows_as_published(side, expected):
    sizes = []
    with torch.device("meta"):
        network = small([])
        for layer in (network.backbone[0][0], *network.backbone, network.score["fc7"]):
            layer.register_forward_hook(lambda layer, inputs, output: sizes.append(output.shape[-1]))
        assert network(torch.zeros(1, 3, side, side)).shape == (1, 2, side, side)
        sizes.append(network.upscore["32to1"].full(torch.zeros(1, 2, sizes[-1], sizes[-1])).shape[-1])
    assert sizes == expected


@pytest.mark.parametrize("skips", SYSTEMS.values(), ids=SYSTEMS)
def test_the_crops_align_centres(skips):
    """Follow the place of cell 0 in the image through every layer, in the image's pixels."""

    def pooled(times):  # a padding of 100 moves conv1_1 by 99; a pool's cell lies amid its 2×2
        return -99 + sum(2**level / 2 for level in range(times))

    centres, place, stride = {16: pooled(4), 8: pooled(3), 1: 0.0}, pooled(5) + 3 * 32, 32
    for stop in [*sorted(skips, reverse=True), 1]:
        factor = stride // stop
        place -= (2 * factor - 1) / 2 * stop  # of the first cell that a filter of 2·factor cells writes
        offset = (centres[stop] - place) / stop
        assert abs(offset) == CROPS[stride, stop]
        assert (offset > 0) == (stop == 1)  # the enlarged map is cut for the image, a skip for the enlarged map
        place, stride = (place if stop > 1 else 0), stop


@pytest.mark.parametrize("system", SYSTEMS)
def test_scores_start_at_zero(system):
    assert not small(SYSTEMS[system])(torch.rand(1, 3, 20, 30)).any()


@pytest.mark.parametrize(
    ("system", "scored"),
    [("32s", "fc7"), ("16s", "fc7"), ("16s", "pool4"), ("8s", "fc7"), ("8s", "pool4"), ("8s", "pool3")],
)
def test_every_score_lies_where_the_image_has_it(system, scored):
    """Scores of local brightness, enlarged and cropped, are centred on a bright square, averaged over its places."""
    network = Fcn(SYSTEMS[system], width=1, fc_channels=1, dropout=0.0, in_channels=3, out_channels=1).eval()
    for layer in network.backbone.modules():
        if isinstance(layer, nn.Conv2d):
            middle = layer.kernel_size[0] // 2
            nn.init.zeros_(layer.weight)
            layer.weight.data[:, 0, middle, middle] = 1
    nn.init.ones_(network.score[scored].weight)
    image, starts = torch.zeros(32, 3, 161, 161), torch.arange(32)  # every place relative to the coarsest cells
    for picture, start in zip(image, starts.tolist(), strict=True):
        picture[:, 48 + start : 80 + start, 48 + start : 80 + start] = 10
    with torch.no_grad():
        out = network(image)[:, 0]
    cells = torch.arange(161.0)
    for dim in (1, 2):
        centres = (out.sum(dim) @ cells) / out.sum((1, 2))
        assert (centres - (48 + starts + 15.5)).mean().abs() < 0.6


def test_scales_act_on_the_pools():
    plain, at_once = small(), small(scales=[0.25, 0.5])
    with torch.no_grad():
        for network in (plain, at_once):
            nn.init.ones_(network.score["pool3"].weight)
            nn.init.ones_(network.score["pool3"].bias)
        image = torch.rand(1, 3, 20, 30)
        torch.testing.assert_close(at_once(image) - 1, 0.25 * (plain(image) - 1))


@pytest.mark.parametrize(("fine", "coarse", "new"), [("16s", "32s", "pool4"), ("8s", "16s", "pool3")])
def test_each_begins_with_the_weights_of_the_coarser_one(fine, coarse, new):
    begun, given = small(SYSTEMS[fine]), small(SYSTEMS[coarse])
    for parameter in given.parameters():
        nn.init.normal_(parameter)
    left = take(begun, given.state_dict())
    assert sorted(line.partition(":")[0] for line in left) == [f"score.{new}.bias", f"score.{new}.weight"]
    assert all(torch.equal(begun.state_dict()[key], value) for key, value in given.state_dict().items())


def test_a_training_begins_so_too(run, capsys):
    tiny = ["model.width=2", "model.fc_channels=4", "transform=none"]
    first = run("model=fcn32s", *tiny, folder="a")
    capsys.readouterr()
    run("model=fcn16s", *tiny, f"init={first}/checkpoints/best.ckpt", folder="b")
    said = capsys.readouterr().out
    assert "2 do not fit" in said
    assert "score.pool4.weight: missing in the file" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"skips": [8]}, r"model.skips=\[8\]: say \[\] for FCN-32s"),
        ({"scales": [0.1]}, r"model.scales=\[0.1\]: one number for each of model.skips=\[8, 16\]"),
    ],
)
def test_what_was_never_published_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def classifier(width=4, fc=8):
    """A state as torchvision's VGG16 has it, narrow."""
    state, channels, index = {}, 3, 0
    for wide, depth in zip((1, 2, 4, 8, 8), (2, 2, 3, 3, 3), strict=True):
        for _ in range(depth):
            state[f"features.{index}.weight"] = torch.rand(wide * width, channels, 3, 3)
            state[f"features.{index}.bias"] = torch.rand(wide * width)
            channels, index = wide * width, index + 2
        index += 1
    for index, shape in ((0, (fc, channels * 49)), (3, (fc, fc)), (6, (1000, fc))):
        state[f"classifier.{index}.weight"] = torch.rand(shape)
        state[f"classifier.{index}.bias"] = torch.rand(shape[0])
    return state


def test_torchvisions_classifier_becomes_convolutions(tmp_path):
    state = classifier()
    torch.save(state, tmp_path / "vgg16.pth")
    network = small(weights=str(tmp_path / "vgg16.pth"))
    fc6, fc7 = (layer for layer in network.backbone[5] if isinstance(layer, nn.Conv2d))
    x = torch.rand(1, 32, 7, 7)
    torch.testing.assert_close(
        fc6(x).flatten(), x.flatten() @ state["classifier.0.weight"].T + state["classifier.0.bias"]
    )
    torch.testing.assert_close(fc7.weight[:, :, 0, 0], state["classifier.3.weight"])
    torch.testing.assert_close(network.backbone[4][4].weight, state["features.28.weight"])


def test_weights_of_another_width_are_refused(tmp_path):
    torch.save(classifier(width=2), tmp_path / "vgg16.pth")
    with pytest.raises(ValueError, match=r"vgg16.pth: \d+ tensors have another shape .* is \[2, 3, 3, 3\] instead of"):
        small(weights=str(tmp_path / "vgg16.pth"))
