"""A sample that cannot be used, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 10  # faults that an error lists


@dataclass(frozen=True)
class Fault:
    """What is wrong with one sample, as a sentence that names its files."""

    name: str  # of the sample
    reason: str

    @classmethod
    def of(cls, name: str, files: Sequence[str], error: Exception | str) -> "Fault":
        """What an error says, with the files before it unless it names one of them itself."""
        foreign = isinstance(error, Exception) and not isinstance(error, ValueError)
        said = repr(error) if foreign else str(error)
        named = any(file in said for file in files)
        return cls(name, said if named else f"{' and '.join(files) or f'sample {name!r}'}: {said}")


def listed(faults: Sequence[Fault]) -> str:
    """A line for each of the first faults, and how many more there are."""
    more = f"\n  ... and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return "".join(f"\n  {fault.reason}" for fault in faults[:_SHOWN]) + more


def tolerate(faults: Sequence[Fault], total: int, skip: int | None) -> None:
    """Go on if at most `skip` of `total` samples are faulty; None where none may be left out.

    Raises:
        ValueError: there are more; the message lists them and says what can be done.
    """
    if len(faults) <= (skip or 0):
        return
    allowed = f", and data.skip={skip} bears {skip}" if skip else ""
    instead = "" if skip is None else f", or leave them out of the training with data.skip={len(faults)}"
    raise ValueError(
        f"{len(faults)} of {total} samples cannot be used{allowed}:{listed(faults)}\n"
        f"mend them (python -m src.doctor lists every fault){instead}"
    )
