"""Settings that are right each by itself and impossible together: refused with what would fit."""

from typing import Any

from src.run.combination import data, joint, kind, loss, model, price, score, trainer

__all__ = ["check"]


def check(config: dict[str, Any]) -> None:
    """Raise ValueError for the first combination that cannot work.

    Args:
        config: of a training, its keys and values found good one by one.
    """
    for part in (trainer, joint, kind, price, data, loss, model, score):
        for said in part.problems(config):
            raise ValueError(said)
