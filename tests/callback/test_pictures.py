import pytest
import torch

from src.callback.pictures import Pictures, contact_sheet
from src.data.color import distinct
from src.data.description import Description
from src.data.sample import Batch

DESCRIPTION = Description(("image", "mask"), ("a", "b"), distinct(2))


class Task:
    description = DESCRIPTION

    def panels(self, batch, answer):
        return {"image": batch.image}


class Trainer:
    is_global_zero = True


@pytest.mark.parametrize(
    ("batches", "size", "expected"),
    [(6, 2, [0, 4, 8]), (3, 2, [0, 2, 4]), (1, 8, [0, 1, 2]), (2, 2, [0, 1, 2])],
)
def test_the_images_are_spread_over_the_split(monkeypatch, batches, size, expected):
    callback = Pictures(count=3)
    monkeypatch.setattr(callback, "_due", lambda trainer: True)
    for index in range(batches):
        start = torch.arange(index * size, (index + 1) * size, dtype=torch.uint8).reshape(size, 1, 1, 1)
        callback._keep(Trainer(), Task(), None, Batch(start.expand(-1, 3, 2, 2)), (index, batches))
    assert [int(row["image"][0, 0, 0]) for row in callback._rows] == expected


def test_a_sheet_has_a_row_per_image_and_a_color_per_class():
    panel = torch.zeros(3, 8, 16, dtype=torch.uint8)
    rows = [{"image": panel, "target": panel + 255}] * 3
    sheet = contact_sheet(rows, DESCRIPTION)
    assert sheet.width == 2 * 384 + 4
    assert sheet.height > 3 * 192
    found = {color for _, color in sheet.getcolors(1 << 20)}
    assert set(DESCRIPTION.colors) <= found
