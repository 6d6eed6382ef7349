"""The angle between two directions, exact from 0 to 180 degrees, where an arccos loses its digits and its slope."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def apart(
    one: Float[Tensor, " b 3 h w"], other: Float[Tensor, " b 3 h w"]
) -> tuple[Float[Tensor, " b 1 h w"], Float[Tensor, " b 3 h w"]]:
    """The cosine between two maps of unit vectors, and what `other` has across `one`, whose length is the sine."""
    cosine = (one * other).sum(1, keepdim=True)
    return cosine, torch.addcmul(other, one, cosine, value=-1)


def angle(one: Float[Tensor, " b 3 h w"], other: Float[Tensor, " b 3 h w"]) -> Float[Tensor, " b h w"]:
    """The angle between vectors of any length, in radians; a vector of no length is at a right angle to all others.

    It is atan2(sine, cosine): near 0 the arccos of a cosine in single precision knows .02 degrees at best.
    """
    one, other = (F.normalize(vectors, dim=1) for vectors in (one, other))
    cosine, across = apart(one, other)
    nothing = (one == 0).all(1) | (other == 0).all(1)
    return torch.atan2(across.norm(dim=1), cosine[:, 0]).masked_fill(nothing, torch.pi / 2)
