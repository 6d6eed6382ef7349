"""Networks of segmentation-models-pytorch inside ours: the same answers, at any size, or a sentence."""

import sys

import pytest
import torch

smp = pytest.importorskip("segmentation_models_pytorch")

from src.model.smp import Smp  # noqa: E402


def network(name="Unet", encoder="resnet18", **options):
    torch.manual_seed(0)
    return Smp(name, encoder, in_channels=3, out_channels=4, **options)


@pytest.mark.parametrize(("name", "encoder"), [("Unet", "resnet18"), ("FPN", "tu-mobilenetv3_small_050")])
def test_its_scores_are_the_librarys_own_with_the_same_state(name, encoder):
    ours = network(name, encoder).eval()
    theirs = smp.create_model(name, encoder, None, classes=4).eval()
    theirs.load_state_dict(ours.network.state_dict())
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.equal(ours(image), theirs(ours.normalize(image)))


@pytest.mark.parametrize("name", sorted(kind.__name__ for kind in smp.MODEL_ARCHITECTURES_MAPPING.values()))
def test_every_architecture_answers_at_the_size_of_any_image(name):
    encoder, options = "resnet18", {}
    if name == "DPT":  # takes plain ViTs alone
        encoder, options = "tu-vit_tiny_patch16_224", {"dynamic_img_size": True}
    ours = network(name, encoder, options=options).eval()
    for size in [(17, 45), (1, 1)]:
        with torch.no_grad():
            assert ours(torch.rand(1, 3, *size)).shape == (1, 4, *size)


def test_what_is_added_is_the_mean_colour():
    ours = network().eval()
    image = torch.rand(1, 3, 40, 32)
    padded = torch.cat([image, ours.normalize.mean.expand(1, 3, 24, 32)], dim=2)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), ours(padded)[..., :40, :])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "Unett"}, "model.name=Unett is no architecture of .*; the nearest is Unet"),
        ({"encoder": "resnet19"}, "model.encoder=resnet19 is no encoder of .*; the nearest is resnet1"),
        ({"encoder": "tu-resnet19"}, "the library refuses: Unknown model"),
        ({"options": {"decoder_chanels": [1]}}, "model.options.decoder_chanels: Unet has no such argument; it takes"),
        ({"options": {"aux_params": {"classes": 2}}}, "model.options.aux_params: Unet has no such argument"),
        ({"options": {"decoder_channels": [1]}}, "the library refuses: Model depth is 5"),
        ({"name": "DPT"}, "the library refuses: Only Timm encoders"),
        ({"weights": "nobodys"}, "the library refuses: Wrong pretrained weights `nobodys`.*Available.*imagenet"),
    ],
)
def test_what_the_library_does_not_know_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        network(**wrong)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(ValueError, match=r"not installed: pip install 'dense-labeling\[zoo\]'"):
        network()


def test_weights_that_cannot_be_fetched_are_refused_in_a_sentence(monkeypatch):
    def absent(*args, **kwargs):
        raise FileNotFoundError("nothing in the cache")

    monkeypatch.setattr(smp.encoders, "hf_hub_download", absent)
    with pytest.raises(ValueError, match=r"model.weights=default: the weights of resnet18 cannot be fetched"):
        network(weights="default")
