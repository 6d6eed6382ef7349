"""Several answers to one question made into one; each rule takes them one at a time, so that two at most are held."""

from collections.abc import Callable, Iterable
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

Logits = Float[Tensor, "b a *place"]  # over a answers; whatever all of a place have in common says nothing
Rule = Callable[[Iterable[Logits]], Logits]  # of one network after another -> together, by their softmax


def mean(outputs: Iterable[Logits]) -> Logits:
    """The mean of the probabilities."""
    return _log(reduce(torch.Tensor.add_, (output.softmax(1) for output in outputs)))


def product(outputs: Iterable[Logits]) -> Logits:
    """The product of the probabilities, as DeconvNet x FCN-8s (Noh et al., 2015): one firm no is enough."""
    return reduce(torch.Tensor.add_, (output.log_softmax(1) for output in outputs))


def largest(outputs: Iterable[Logits]) -> Logits:
    """The largest probability that anybody gives to each answer: one firm yes is enough."""
    return reduce(torch.maximum, (output.log_softmax(1) for output in outputs))


def vote(outputs: Iterable[Logits]) -> Logits:
    """A vote each for the most probable answer; of as many votes the answer with the larger sum of probabilities.

    The mean of the probabilities counts as half a vote more, which is less than any difference between votes.
    """
    votes, total = reduce(_both_added, map(_ballot, outputs))
    return _log(total.div_(2 * votes.sum(1, keepdim=True)).add_(votes))


RULES: dict[str, Rule] = {"mean": mean, "product": product, "max": largest, "vote": vote}  # by what `combine=` says


def _ballot(output: Tensor) -> tuple[Tensor, Tensor]:
    return torch.zeros_like(output).scatter_(1, output.argmax(1, keepdim=True), 1.0), output.softmax(1)


def _both_added(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return one[0].add_(other[0]), one[1].add_(other[1])


def _log(weights: Tensor) -> Tensor:
    """Finite where a probability was too small for a float, so that a product with others stays a number."""
    return weights.clamp_min_(torch.finfo(weights.dtype).tiny).log_()
