import pytest
import torch

from src.loss.weighting.fixed import Fixed
from src.loss.weighting.interface import Weighting


def test_each_loss_is_multiplied_by_the_weight_of_its_field():
    weighting = Fixed({"mask": 0.5, "depth": 3.0, "normals": 7.0}, fields=["depth", "mask"])
    assert isinstance(weighting, Weighting)
    assert weighting({"mask": torch.tensor(4.0), "depth": torch.tensor(2.0)}) == {"mask": 2.0, "depth": 6.0}
    assert weighting.weights == {"depth": 3.0, "mask": 0.5}


def test_a_field_without_a_weight_is_refused():
    with pytest.raises(ValueError, match=r"task\.fields albedo as well: .* \+loss\.weighting\.weights\.albedo=1"):
        Fixed({"mask": 1.0}, fields=["mask", "albedo"])
