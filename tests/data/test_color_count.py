from dataclasses import dataclass

import pytest
import torch
from torchvision import tv_tensors

from src.data.color_count import color_pixels
from src.data.description import Description
from src.data.gamut import code
from src.data.lab import lab
from src.data.sample import Sample


@dataclass
class Images:
    images: list[torch.Tensor]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return Sample(tv_tensors.Image(self.images[index]))


def filled(color, height, width, white=255, dtype=torch.uint8):
    value = torch.tensor(color) * white
    return (value if dtype.is_floating_point else value.round()).to(dtype).view(3, 1, 1).expand(3, height, width)


@pytest.mark.parametrize(("white", "dtype"), [(255, torch.uint8), (65535, torch.uint16), (1, torch.float32)])
def test_colours_are_counted_by_the_range_of_the_dataset(white, dtype):
    red, grey = (1.0, 0.2, 0.2), (0.6, 0.6, 0.6)
    images = Images([filled(red, 4, 5, white, dtype), filled(grey, 2, 3, white, dtype)])
    counts = color_pixels(images, Description(("image",), value_range=(0.0, float(white))))
    places = [code(lab(torch.tensor(color).view(1, 3, 1, 1))[:, 1:]).item() for color in (red, grey)]
    assert counts.nonzero().flatten().tolist() == sorted(places)
    assert [counts[place].item() for place in places] == [20, 6]


def test_of_a_large_image_some_pixels_are_enough():
    image = torch.cat([filled((1.0, 0, 0), 300, 200), filled((0.0, 0, 1.0), 300, 200)], 2)
    counts = color_pixels(Images([image]), Description(("image",)))
    assert 4096 <= counts.sum() < 8 * 4096
    first, second = counts[counts > 0].tolist()
    assert first / second == pytest.approx(1, abs=0.05)
