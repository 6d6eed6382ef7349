import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as f

from src.data.description import Description
from src.data.transform.jitter import Jitter

RGB = Description(fields=("image",))


def picture(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape or (3, 20, 30), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
@pytest.mark.parametrize("seed", range(4))
def test_each_equals_torchvision_within_one_grey_level(name, seed):
    torch.manual_seed(seed)
    factor = 0.2 + 1.6 * torch.rand(()).item()
    torch.manual_seed(seed)
    ours = Jitter(RGB, **{name: 0.8})(picture())
    theirs = 255 * getattr(f, f"adjust_{name}")(picture().double() / 255, factor)  # bytes it would round down
    assert ours.dtype == torch.uint8
    assert (ours - theirs).abs().max() <= 1


def test_brightness_goes_before_contrast_and_contrast_before_saturation():
    image = (picture() // 4 + 80).double() / 255  # nothing is clipped
    torch.manual_seed(3)
    factors = [0.7 + 0.6 * torch.rand(()).item() for _ in range(3)]
    torch.manual_seed(3)
    ours = Jitter(Description(fields=("image",), value_range=(0.0, 1.0)), 0.3, 0.3, 0.3)(image)
    theirs = f.adjust_contrast(f.adjust_brightness(image, factors[0]), factors[1])
    assert (ours - f.adjust_saturation(theirs, factors[2])).abs().max() < 0.002


def test_every_type_and_range_gives_the_same_picture():
    def changed(image: Tensor, low: float, high: float) -> Tensor:
        torch.manual_seed(5)
        data = Description(fields=("image",), value_range=(low, high))
        return Jitter(data, 0.5, 0.5, 0.5, 0.1)(image).double().sub(low).div(high - low)

    close = 0.75 / 255  # three quarters of a grey level
    expected = changed(picture(), 0.0, 255.0)
    assert (changed(picture().double() / 255, 0.0, 1.0) - expected).abs().max() < close
    assert (changed((picture().float() * 257).to(torch.uint16), 0.0, 65535.0) - expected).abs().max() < close
    assert (changed(picture().float() - 1000, -1000.0, -745.0) - expected).abs().max() < close


def test_values_stay_in_the_range_and_black_stays_black():
    data = Description(fields=("image",), value_range=(10.0, 20.0), channels=1)
    torch.manual_seed(0)
    for _ in range(20):
        bright = Jitter(data, brightness=0.9)(torch.tensor([[[10.0, 12.0, 20.0]]]))
        assert bright[0, 0, 0] == pytest.approx(10)
        assert 10 <= bright.min() <= bright.max() <= 20


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_contrast_turns_about_the_mean_of_any_number_of_channels(channels):
    data = Description(fields=("image",), channels=channels)
    image = (picture(channels, 9, 9) // 4 + 100).float()  # nothing is clipped
    torch.manual_seed(1)
    changed = Jitter(data, contrast=0.5)(image)
    assert changed.mean() == pytest.approx(image.mean().item(), abs=1e-3)
    assert changed.std() != pytest.approx(image.std().item(), rel=0.01)
    torch.manual_seed(1)
    assert (Jitter(data, contrast=0.5)(image.to(torch.uint8)) - changed).abs().max() < 0.75


def test_hue_turns_colours_about_grey():
    image = 0.4 + 0.2 * torch.rand(3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    image[:, 0, 0] = 0.5
    torch.manual_seed(1)
    turned = Jitter(Description(fields=("image",), value_range=(0.0, 1.0)), hue=0.5)(image)
    torch.testing.assert_close(turned.sum(0), image.sum(0), atol=1e-6, rtol=0)
    torch.testing.assert_close(turned.norm(dim=0), image.norm(dim=0), atol=1e-6, rtol=0)
    torch.testing.assert_close(turned[:, 0, 0], image[:, 0, 0], atol=1e-6, rtol=0)
    assert (turned - image).abs().max() > 0.05


def test_nothing_asked_is_nothing_done():
    image = picture()
    assert Jitter(RGB)(image) is image


@pytest.mark.parametrize("strength", [{"saturation": 0.1}, {"hue": 0.1}])
def test_colour_is_refused_where_there_is_none(strength):
    with pytest.raises(ValueError, match="need an RGB image, and this data has 4 channels: set both to 0"):
        Jitter(Description(fields=("image",), channels=4), **strength)


@pytest.mark.parametrize("strength", [{"brightness": -0.1}, {"contrast": float("nan")}, {"hue": 0.6}])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match=rf"^{next(iter(strength))}="):
        Jitter(RGB, **strength)
