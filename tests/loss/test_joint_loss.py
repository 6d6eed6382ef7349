from functools import partial

import pytest

from src.loss.cross_entropy import CrossEntropy
from src.loss.joint import Joint
from src.loss.l1 import L1
from src.loss.weighting.uncertainty import Uncertainty


def test_it_holds_the_losses_of_the_chosen_fields_alone():
    loss = Joint(partial(Uncertainty, rate=3.0), fields=["depth"], mask=CrossEntropy(), depth=L1(), normals=None)
    assert [(field, type(part)) for field, part in loss.losses.items()] == [("depth", L1)]
    assert len(loss.weighting.log_variances) == 1
    assert loss.rate == 3.0


@pytest.mark.parametrize("losses", [{"mask": CrossEntropy()}, {"mask": CrossEntropy(), "depth": None}])
def test_a_field_without_a_loss_is_refused(losses):
    with pytest.raises(ValueError, match=r"loss\.depth is no loss; there are losses of mask"):
        Joint(Uncertainty, fields=["mask", "depth"], **losses)


def test_the_nearest_loss_is_named():
    with pytest.raises(ValueError, match="did you mean depth"):
        Joint(Uncertainty, fields=["dpth"], mask=CrossEntropy(), depth=L1())
