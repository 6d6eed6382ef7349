import pytest
import torch

from src.callback.pictures import contact_sheet, taken
from src.data.color import distinct
from src.data.description import Description

DESCRIPTION = Description(("image", "mask"), ("a", "b"), distinct(2))


@pytest.mark.parametrize(
    ("batches", "expected"),
    [(6, [1, 0, 1, 0, 1, 0]), (3, [1, 1, 1]), (1, [3]), (2, [2, 1])],
)
def test_the_images_are_spread_over_the_split(batches, expected):
    found, kept = [], 0
    for index in range(batches):
        found.append(taken(index, batches, 3, kept))
        kept += found[-1]
    assert found == expected


def test_a_sheet_has_a_row_per_image_and_a_color_per_class():
    panel = torch.zeros(3, 8, 16, dtype=torch.uint8)
    rows = [{"image": panel, "target": panel + 255}] * 3
    sheet = contact_sheet(rows, DESCRIPTION)
    assert sheet.width == 2 * 384 + 4
    assert sheet.height > 3 * 192
    found = {color for _, color in sheet.getcolors(1 << 20)}
    assert set(DESCRIPTION.colors) <= found
    assert contact_sheet(rows, None).height < sheet.height
