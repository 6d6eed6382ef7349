"""What a loss of maps is the sum of."""

from torch import Tensor, nn


def terms(loss: nn.Module, output: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Each term of a loss by name, weighted, so that they add up to it; a loss without terms is one by itself."""
    if not hasattr(loss, "terms"):
        return {"loss": loss(output, target)}
    return {name: loss.weights[name] * term for name, term in loss.terms(output, target).items()}
