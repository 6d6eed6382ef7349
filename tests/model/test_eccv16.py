import pytest
import torch

from src.data.gamut import centres
from src.model.eccv16 import Eccv16
from src.run.count import parameters, trainable

# The published state_dict: of each layer by its number in the block, filters and channels they see.
PUBLISHED = {
    "model1": {0: (64, 1, 3, 3), 2: (64, 64, 3, 3), 4: (64,)},
    "model2": {0: (128, 64, 3, 3), 2: (128, 128, 3, 3), 4: (128,)},
    "model3": {0: (256, 128, 3, 3), 2: (256, 256, 3, 3), 4: (256, 256, 3, 3), 6: (256,)},
    "model4": {0: (512, 256, 3, 3), 2: (512, 512, 3, 3), 4: (512, 512, 3, 3), 6: (512,)},
    **{f"model{n}": {0: (512, 512, 3, 3), 2: (512, 512, 3, 3), 4: (512, 512, 3, 3), 6: (512,)} for n in (5, 6, 7)},
    "model8": {0: (512, 256, 4, 4), 2: (256, 256, 3, 3), 4: (256, 256, 3, 3), 6: (313, 256, 1, 1)},
}


def published() -> dict[str, tuple[int, ...]]:
    shapes = {"model_out.weight": (2, 313, 1, 1)}
    for block, layers in PUBLISHED.items():
        for number, shape in layers.items():
            key, channels = f"{block}.{number}", shape[1] if (block, number) == ("model8", 0) else shape[0]
            shapes |= {f"{key}.weight": shape, f"{key}.bias": (channels,)}
            if len(shape) == 1:
                shapes |= {f"{key}.running_mean": shape, f"{key}.running_var": shape, f"{key}.num_batches_tracked": ()}
    return shapes


@pytest.fixture
def whole() -> Eccv16:
    with torch.device("meta"):
        return Eccv16(in_channels=1, out_channels=313)


def test_it_has_the_published_parameters_and_names(whole):
    assert parameters(whole) == 32_236_011
    assert trainable(whole) == 32_235_385
    assert {key: tuple(value.shape) for key, value in whole.state_dict().items()} == published()
    whole.load_state_dict({key: torch.empty(shape, device="meta") for key, shape in published().items()}, strict=True)


def test_it_shrinks_by_8_and_answers_at_the_size_of_the_image(whole):
    seen = []
    whole.model7.register_forward_hook(lambda *args: seen.append(tuple(args[2].shape)))
    whole.model8.register_forward_hook(lambda *args: seen.append(tuple(args[2].shape)))
    for height, width in ((256, 256), (61, 83)):
        assert whole(torch.empty(1, 1, height, width, device="meta")).shape == (1, 313, height, width)
    assert seen == [(1, 512, 32, 32), (1, 313, 64, 64), (1, 512, 8, 11), (1, 313, 16, 22)]


def test_dilation_is_2_in_the_blocks_5_and_6(whole):
    found = {name: layer.dilation[0] for name, layer in whole.named_modules() if hasattr(layer, "dilation")}
    dilated = {name for name, dilation in found.items() if dilation == 2}
    assert dilated == {f"model{block}.{layer}" for block in (5, 6) for layer in (0, 2, 4)}


def test_the_fixed_convolution_is_the_mean_of_the_bins():
    network = Eccv16(width=2, in_channels=1, out_channels=313)
    logits = torch.randn(1, 313, 2, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.einsum("bkhw,kc->bchw", logits.softmax(1), centres()) / 110
    torch.testing.assert_close(network.model_out(logits.softmax(1)), expected, atol=1e-5, rtol=1e-4)
    assert not network.model_out.weight.requires_grad
    assert not hasattr(Eccv16(width=2, in_channels=3, out_channels=5), "model_out")


def test_weights_of_a_file_are_taken_and_others_refused(tmp_path):
    torch.manual_seed(0)
    source = Eccv16(width=2, in_channels=1, out_channels=313)
    torch.save(source.state_dict(), tmp_path / "colors.pth")
    options = {"weights": str(tmp_path / "colors.pth"), "in_channels": 1}
    image = torch.rand(1, 1, 16, 24)
    made = Eccv16(width=2, out_channels=313, **options)
    assert torch.equal(made.eval()(image), source.eval()(image))
    with pytest.raises(ValueError, match=r"colors\.pth: .* tensors have another shape"):
        Eccv16(width=4, out_channels=313, **options)
