"""What there is to count of a model: operations and parameters."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def operations(model: nn.Module, image: Tensor) -> int:
    """Floating point operations of a forward pass in evaluation; a multiply-add counts two.

    Args:
        model: on the image's device, which may be meta.
        image: [b c h w].
    """
    training = model.training
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model.eval()(image)
    model.train(training)
    return counter.get_total_flops()


def parameters(model: nn.Module) -> int:
    """All of the model's parameters, trained or not."""
    return sum(parameter.numel() for parameter in model.parameters())


def trainable(model: nn.Module) -> int:
    """Those that are trained; fixed kernels are buffers, and no parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
