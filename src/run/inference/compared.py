"""Files of depth against files of depth, whoever wrote them (Eigen et al., 2014)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from src.data.depth_file import depth
from src.metric.depth import Depth


def compared(
    predictions: Mapping[str, Path],
    targets: Mapping[str, Path],
    names: Iterable[str],
    scales: Sequence[float | int],
    **how: Any,
) -> tuple[dict[str, float], list[str]]:
    """The scores of depth by name, `score` first, and what is wrong with the files, each in a sentence.

    Args:
        predictions: file by name; where it is 0, unknown, and the target is not, it is wrong.
        targets: likewise; 0 is not scored.
        names: those in both.
        scales: steps of 16 bits in a metre, of the predictions and of the targets; floats are metres.
        how: cap, crop, align and averaging, see `src.metric.depth.Depth`.

    Raises:
        ValueError: what `Depth` refuses.
    """
    metric, problems = Depth(**how), []
    for name in names:
        files = (predictions[name], targets[name])
        try:
            maps = [depth(path, scale) for path, scale in zip(files, scales, strict=True)]
        except ValueError as error:
            problems.append(str(error))
            continue
        sizes = ["x".join(str(side) for side in metres.shape[1:]) for metres in maps]
        if sizes[0] != sizes[1]:
            problems.append(f"{files[0]} is {sizes[0]} (height x width), its target {files[1]} is {sizes[1]}")
        else:
            metric.update(maps[0][None], maps[1][None])
    numbers = {key: float(value) for key, value in metric.compute().items()} if not problems else {}
    return {"score": numbers.get("delta1", float("nan")), **numbers}, problems
