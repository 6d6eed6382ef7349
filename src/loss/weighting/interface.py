"""What several losses of one network are weighed by. Nobody inherits from this."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Weighting(Protocol):
    """Losses by field -> terms by field, which are added up. Built as `weighting(fields=...)`.

    A loss of exactly 0 is one of a batch in which nothing of its field is known: it teaches the weights nothing.
    """

    compares_gradients: bool  # whether training needs `shared`
    rate: float  # of learning the weights, relative to the model's

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """What each loss is multiplied by now, by field."""
        ...

    def __call__(self, losses: Mapping[str, Tensor], shared: Sequence[Tensor] = ()) -> Mapping[str, Tensor]:
        """The terms. `shared` is what the fields' maps are all computed from; empty outside of training."""
        ...
