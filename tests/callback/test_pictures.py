from types import SimpleNamespace

import pytest
import torch

from src.callback.pictures import contact_sheet, looks, taken
from src.data.color import distinct
from src.data.description import Description
from src.data.sample import Batch, Instances

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


def batch(**fields) -> Batch:
    return Batch(image=torch.zeros(2, 3, 4, 6), name=["a", "b"], size=[(4, 6)] * 2, extent=[(4, 6)] * 2, **fields)


def test_loggers_are_given_maps_where_classes_do_not_overlap():
    mask, answer = torch.randint(0, 2, (2, 4, 6)), torch.randint(0, 2, (2, 4, 6))
    images = torch.zeros(2, 3, 4, 6, dtype=torch.uint8)
    task = SimpleNamespace(fields=("image", "mask"), description=DESCRIPTION, panels=dict)
    (first,) = looks(task, batch(mask=mask), answer, images, 1)
    assert first.name == "a"
    assert torch.equal(first.maps["target"], mask[0])
    assert torch.equal(first.maps["prediction"], answer[0])
    (joint, _) = looks(task, batch(mask=mask), {"mask": answer, "depth": answer[:, None]}, images, 2)
    assert torch.equal(joint.maps["prediction"], answer[0])
    overlapping = torch.zeros(2, 2, 4, 6, dtype=torch.uint8)
    (several,) = looks(task, batch(mask=overlapping.long()), overlapping, images, 1)
    assert several.maps == {}


def test_loggers_are_given_the_objects_that_are_sure_enough():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0]])
    found = Instances(boxes, torch.tensor([0, 1]), torch.ones(2, 4, 6), scores=torch.tensor([0.9, 0.1]))
    known = Instances(boxes[:1], torch.tensor([1]), torch.ones(1, 4, 6))
    task = SimpleNamespace(fields=("image", "instances"), description=DESCRIPTION, panels=dict, threshold=0.5)
    images = torch.zeros(2, 3, 4, 6, dtype=torch.uint8)
    (_, second) = looks(task, batch(instances=[known, known]), [found, found], images, 2)
    assert second.objects["prediction"].labels.tolist() == [0]
    assert second.objects["target"].labels.tolist() == [1]
    assert second.objects["target"].masks is None
