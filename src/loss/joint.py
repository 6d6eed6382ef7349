"""What several fields of one network cost together: a loss for each, and the weighting among them."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from torch import nn

from src.loss.weighting.interface import Weighting


class Joint(nn.Module):
    """Holds the losses of the chosen fields; `src.task.joint.Joint` calls each, and weighs what they say.

    Args:
        weighting: `weighting(fields=)` builds a `Weighting`.
        fields: the chosen ones.
        losses: by field; those of fields that are not chosen are left out.

    Raises:
        ValueError: a chosen field has no loss.
    """

    prices = ("joint",)

    def __init__(
        self, weighting: Callable[..., Weighting], *, fields: Sequence[str], **losses: nn.Module | None
    ) -> None:
        super().__init__()
        there = [field for field, loss in losses.items() if loss is not None]
        for field in fields:
            if field not in there:
                near = get_close_matches(field, there, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; there are losses of {', '.join(there)}"
                raise ValueError(f"task.fields names {field}, and loss.{field} is no loss{hint}")
        self.losses = nn.ModuleDict({field: losses[field] for field in fields})
        self.weighting = weighting(fields=fields)

    @property
    def rate(self) -> float:
        """Of learning the weights, relative to the model's."""
        return self.weighting.rate
