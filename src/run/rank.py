"""Which of several processes this is, before any of them has met the others."""

import os

_RANKS = ("LOCAL_RANK", "NODE_RANK", "RANK", "SLURM_PROCID")


def first() -> bool:
    """Whether this process writes what is written once: the one that was started by hand, or rank 0 of a launcher."""
    return all(os.environ.get(name, "0") == "0" for name in _RANKS)
