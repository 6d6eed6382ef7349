"""What an epoch came to."""

import lightning as L
from torch import Tensor


def figures(trainer: L.Trainer) -> dict[str, Tensor]:
    """The logged figures at the end of an epoch, without those of a validation after an earlier one.

    Lightning keeps a figure until it is logged anew.
    """
    every = trainer.check_val_every_n_epoch  # null: by steps, of which an epoch is supposed to hold some
    validated = every is None or (trainer.current_epoch + 1) % every == 0
    return {key: value for key, value in trainer.callback_metrics.items() if validated or not key.startswith("val/")}
