import pytest
import torch

from src.loss.dice import Dice

# Four pixels: class 0 is predicted on two and true on one of them, class 1 takes the rest, class 2 is nowhere.
OUTPUT = torch.tensor([[[[9.0, 9, -9, -9]], [[-9.0, -9, 9, 9]], [[-9.0, -9, -9, -9]]]])
TARGET = torch.tensor([[[0, 1, 1, 1]]])  # Dice: 2/3 for class 0, 4/5 for class 1


@pytest.mark.parametrize(
    ("absent", "mean"),
    [("exclude", (1 / 3 + 1 / 5) / 2), ("zero", (1 / 3 + 1 / 5) / 3), ("count", (1 / 3 + 6 / 5) / 3)],
)
def test_absent_classes(absent, mean):
    assert Dice(absent=absent)(OUTPUT, TARGET).item() == pytest.approx(mean, abs=1e-4)


def test_background_can_be_left_out():
    assert Dice(include_background=False)(OUTPUT, TARGET).item() == pytest.approx(1 / 5, abs=1e-4)


def test_one_channel_has_no_background_to_leave_out():
    output, target = torch.randn(1, 1, 3, 3), torch.randint(0, 2, (1, 3, 3))
    assert Dice(include_background=False)(output, target) == Dice()(output, target)


def test_overlapping_masks_have_no_background_to_leave_out():
    with pytest.raises(ValueError, match="overlapping masks have none"):
        Dice(include_background=False)(OUTPUT, torch.zeros(1, 3, 1, 4, dtype=torch.uint8))


def test_an_image_of_unknown_pixels_is_no_sample():
    output, target = OUTPUT.repeat(2, 1, 1, 1), torch.cat([TARGET, torch.full_like(TARGET, 255)])
    torch.testing.assert_close(Dice(per="sample")(output, target), Dice(per="sample")(OUTPUT, TARGET))


@pytest.mark.parametrize(("arguments", "match"), [({"per": "image"}, "per=image"), ({"absent": "skip"}, "absent=skip")])
def test_unknown_words_are_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        Dice(**arguments)
