"""One network for several fields: which parts are shared, and that one field alone is the usual model."""

from functools import partial

import pytest
import torch
from torch import nn

from src.model.backbone.plain import Plain
from src.model.backbone.torchvision import Torchvision
from src.model.decoder.fcn import Fcn
from src.model.decoder.unet import Unet
from src.model.encoder_decoder import EncoderDecoder
from src.model.head.conv import Conv
from src.model.multi_head import MultiHead
from src.model.upsample.bilinear import Bilinear
from src.model.upsample.max_unpool import MaxUnpool

FIELDS = {"mask": 5, "depth": 1, "normals": 3}
PARTS = (partial(Plain, widths=[4, 6, 8]), partial(Unet, widths=(8, 6, 4)), Bilinear, Conv)


def build(share="decoder", parts=PARTS, out_channels=FIELDS):
    torch.manual_seed(0)
    return MultiHead(*parts, share, in_channels=3, out_channels=out_channels)


@pytest.mark.parametrize("share", ["backbone", "decoder"])
@pytest.mark.parametrize("size", [(33, 47), (8, 8), (1, 3)])
def test_each_field_has_a_map_of_its_own_channels_at_the_images_size(share, size):
    with torch.no_grad():
        maps = build(share).eval()(torch.rand(2, 3, *size))
    assert {field: tuple(found.shape) for field, found in maps.items()} == {
        field: (2, k, *size) for field, k in FIELDS.items()
    }


@pytest.mark.parametrize(("share", "decoders"), [("backbone", 3), ("decoder", 1)])
def test_a_field_moves_what_is_shared_and_what_is_its_own(share, decoders):
    model = build(share)
    assert len(model.decoders) == decoders
    model(torch.rand(2, 3, 16, 16))["depth"].square().sum().backward()
    moved = {name for name, p in model.named_parameters() if p.grad is not None}
    own = "decoders.depth" if share == "backbone" else "decoders.shared"
    assert moved == {n for n, _ in model.named_parameters() if n.startswith(("backbone", own, "heads.depth"))}


@pytest.mark.parametrize("share", ["backbone", "decoder"])
def test_all_fields_are_computed_from_what_passes_through_shared(share):
    model, heard = build(share).eval(), []
    model.shared.register_forward_hook(lambda module, given, features: heard.append(features))
    maps = model(torch.rand(1, 3, 16, 16))
    features = heard[0][-1] if share == "backbone" else heard[0]
    for found in maps.values():
        assert torch.autograd.grad(found.sum(), features, retain_graph=True)[0].abs().sum() > 0


@pytest.mark.parametrize("share", ["backbone", "decoder"])
def test_one_field_without_a_name_is_an_encoder_decoder(share):
    alone = build(share, out_channels=5).eval()
    torch.manual_seed(0)
    usual = EncoderDecoder(*PARTS, in_channels=3, out_channels=5).eval()
    image = torch.rand(1, 3, 20, 28)
    with torch.no_grad():
        assert torch.equal(alone(image), usual(image))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((partial(Torchvision, "resnet18"), Unet, MaxUnpool, Conv), "max_unpool undoes the max-poolings"),
        ((*PARTS[:3], nn.Identity), "model/head=identity passes on the decoder's 4 channels, but the task needs 5"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        build(parts=parts)


def test_decoders_of_scores_and_of_pools_serve_each_field():
    scores = build("backbone", (PARTS[0], partial(Fcn, skips=[4, 2]), Bilinear, nn.Identity))
    pools = build("backbone", (PARTS[0], PARTS[1], MaxUnpool, Conv))
    for model in (scores, pools):
        maps = model(torch.rand(1, 3, 16, 24))
        assert [found.shape[1] for found in maps.values()] == list(FIELDS.values())


def test_a_shared_decoder_of_scores_gives_as_many_as_all_fields_have():
    model = build("decoder", (PARTS[0], partial(Fcn, skips=[4, 2]), Bilinear, Conv))
    assert model.decoders["shared"].channels == sum(FIELDS.values())
