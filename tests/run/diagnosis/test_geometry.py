import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.field import Depth, Normals
from src.data.sample import Sample
from src.run.diagnosis.geometry import metres, remarks
from src.run.diagnosis.measure import Measure, measured


def examined(depth: float, length: float) -> Measure:
    """A picture of 2 x 2 whose first pixel is unknown."""
    known = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    normals = torch.stack([known * 0, known * 0, -length * known])
    image = tv_tensors.Image(torch.zeros(3, 2, 2, dtype=torch.uint8))
    sample = Sample(image, depth=Depth(depth * known[None]), normals=Normals(normals), name="a", size=(2, 2))
    return measured(sample, Description(("image", "depth", "normals")))


def test_what_is_in_order_is_not_remarked():
    found = examined(2.5, 1.0)
    assert metres([found, examined(7.5, 1.0)]) == {"min": 2.5, "median": 5.0, "max": 7.5}
    assert found.unknown == {"depth": 0.25, "normals": 0.25}
    assert remarks("train", [found]) == []


@pytest.mark.parametrize(
    ("depth", "length", "said"),
    [
        (2500.0, 1.0, r"the median depth is 2500 metres: are these millimetres"),
        (0.0025, 1.0, r"the median depth is 0.0025 metres: were they divided twice"),
        (0.0, 1.0, "depth is unknown everywhere in a"),
        (2.5, 0.0, "normals is unknown everywhere in a"),
        (2.5, 1.2, "some normals are not of length 1 in a"),
    ],
)
def test_what_is_hardly_meant_is_remarked(depth, length, said):
    (remark,) = remarks("train", [examined(depth, length)])
    assert remark.startswith(f"train: {said}")
