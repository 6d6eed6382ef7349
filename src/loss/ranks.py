"""Sums over all processes of a distributed run, with the right gradient."""

import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor


def across_ranks(sums: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The sums of every process added up, so that a ratio of sums is the ratio over the whole batch.

    Each process must call this equally often, which holds for training steps and not for evaluation, where batches
    may be left over: sums that carry no gradient are returned as they are.
    """
    if not (sums.requires_grad and dist.is_available() and dist.is_initialized()):
        return sums
    total = sums.detach().clone()
    dist.all_reduce(total)
    # DDP averages the gradients of the processes, but the gradient of a sum is the sum of theirs.
    return total + dist.get_world_size() * (sums - sums.detach())
