"""Silences what the libraries say of things that are as they should be."""

import logging
import warnings

_EXPECTED = (
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # Lightning's own, under torch 2.15
    r"You have overridden `(on_after_batch_transfer|transfer_batch_to_device)`",  # the task's business alone
    r"The number of training batches",  # a short epoch logs its last step all the same
    r".*does not have many workers",  # data.workers=auto knows that a CPU has none to spare
    r".*exists and is not empty",  # the folder of a resumed run
    r"Experiment logs directory .* exists",
    r".*`lightning.pytorch.utilities.rank_zero",
    r"It is recommended to use `self.log\(",  # what is logged at an epoch's end is the same on every rank
    r"You're resuming from a checkpoint that ended before",  # ours knows where the epoch was
    r"The `srun` command is available",
    r"The ``compute`` method of metric \w+ was called before",  # of a process to which no sample fell
    r"FSDP2-wrapped module \(\w+\) returned a view",  # cut to the image's size, and nothing changes it in place
    r"Detected call of `lr_scheduler.step\(\)` before",  # a first step skipped by the gradient scaler
)


def quiet() -> None:
    """Leave errors and surprises; hide hints, banners and the expected."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in _EXPECTED:
        warnings.filterwarnings("ignore", message=message)
