"""Weights that are learnt so that all fields pull equally hard at what they share: GradNorm (Chen et al., 2018)."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

_LEAST = 1e-12  # what a ratio is at least, so that its power stays finite


class GradientNorm(nn.Module):
    """weight · loss, the weights moved by Σ |G - mean(G) · r^α|.

    G is the norm of weight · ∂loss/∂shared, and r how much of its first value a loss has kept, relative to the mean
    of that: a field that learns slowly may pull harder. Two things differ from the paper. G is taken at the features
    that the fields share, not at the weights of their last layer, which costs one backward through each field's own
    layers; and the weights are a softmax that adds up to their number, where the paper divides after each step.
    Each process compares its own gradients.

    Args:
        alpha: how much harder a slow field may pull; at 0 all pull alike.
        rate: of learning the weights, relative to the model's; the paper's 0.025 at a rate of 0.001.
        fields: those that have a loss.
    """

    compares_gradients = True

    def __init__(self, alpha: float = 1.5, rate: float = 25.0, *, fields: Sequence[str]) -> None:
        super().__init__()
        self.alpha, self.rate, self._fields = alpha, rate, tuple(fields)
        self.logits = nn.Parameter(torch.zeros(len(self._fields)))
        self.register_buffer("first", torch.zeros(len(self._fields)))  # loss of each field; 0 before it is known

    @property
    def weights(self) -> dict[str, Float[Tensor, ""]]:
        return dict(zip(self._fields, self._softmax().detach(), strict=True))

    def forward(
        self, losses: Mapping[str, Float[Tensor, ""]], shared: Sequence[Tensor] = ()
    ) -> dict[str, Float[Tensor, ""]]:
        """The terms; with `shared` their gradient reaches the weights, without changing what the terms are."""
        weights, parts = self._softmax(), [losses[field] for field in self._fields]
        terms = [weight * part for weight, part in zip(weights.detach(), parts, strict=True)]
        if torch.is_grad_enabled():
            gaps = self._gaps(weights, parts, shared) if shared else 0 * weights  # what is frozen feels no pull
            terms = [term + gap - gap.detach() for term, gap in zip(terms, gaps, strict=True)]
        return dict(zip(self._fields, terms, strict=True))

    def _gaps(self, weights: Tensor, losses: Sequence[Tensor], shared: Sequence[Tensor]) -> Float[Tensor, " k"]:
        """|G - mean(G) · r^α| of each field relative to mean(G); one of which nothing is known has no gradient."""
        now = torch.stack([loss.detach().float() for loss in losses])
        known = now != 0
        self.first.copy_(torch.where(known & (self.first == 0), now, self.first))
        kept = torch.where(known, now / self.first, 0).clamp_min(_LEAST)
        pulls = weights * torch.stack([_norm(loss, shared) for loss in losses])
        count = known.sum().clamp_min(1)
        mean = pulls.detach().sum() / count
        ratio = kept / (kept.sum() / count).clamp_min(_LEAST)
        return (pulls / mean.clamp_min(_LEAST) - ratio**self.alpha).abs()

    def _softmax(self) -> Float[Tensor, " k"]:
        return len(self._fields) * self.logits.softmax(0)


def _norm(loss: Tensor, shared: Sequence[Tensor]) -> Float[Tensor, ""]:
    """The length of the loss's gradient at the shared features, of those that it depends on."""
    slopes = torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True)
    return torch.stack([loss.new_zeros(()), *(slope.float().norm() for slope in slopes if slope is not None)]).norm()
