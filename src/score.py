"""Two folders of masks, predictions against the truth -> the scores that an evaluation would print.

python -m src.score prediction=FOLDER target=FOLDER num_classes=N ignore_index=255 output=FILE.json

Or COCO's results, or a panoptic result, against an annotation file:

python -m src.score prediction=RESULTS.json target=ANNOTATIONS.json output=FILE.json
python -m src.score prediction=FOLDER_OR_PANOPTIC.json target=PANOPTIC.json output=FILE.json

Or two folders of depth:

python -m src.score prediction=FOLDER target=FOLDER depth_scale=1000 output=FILE.json
"""

import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from src.run import cli

if typing.TYPE_CHECKING:  # these bring torch along, which --help and a misspelt key need not wait for
    import numpy as np
    from omegaconf import DictConfig

    from src.data.description import Description
    from src.data.values import Values

SHOWN = 20  # lines of an error about files


def score(config: "DictConfig") -> float:
    """Compare, print the table and write the file; returns the mIoU, AP, PQ or delta1."""
    from rich.console import Console

    from src.data.description import Description
    from src.metric.table import table
    from src.run.folder import claim, write_json

    output = cli.path(config.output) if config.output else None
    if output:
        claim(output.parent)
    prediction, target = cli.path(config.prediction), cli.path(config.target)
    if ".json" in (prediction.suffix.lower(), target.suffix.lower()):
        found, description = _annotated(prediction, target, config)
    elif config.depth_scale is not None:
        found, description = _depths(prediction, target, config), Description(fields=("depth",))
    else:
        description = described(config.num_classes, config.classes, config["values"])
        options = {key: config[key] for key in ("ignore_index", "values", "void", "absent", "suffix")}
        found = compare(prediction, target, description, **options)
    Console().print(table(found["scores"], description))
    if output:
        sides = {"prediction": str(prediction), "target": str(target)}
        counts = {key: value for key, value in found.items() if key != "scores"}
        write_json(output, {**sides, **found["scores"], **counts})
        print(f"written to {output}")
    return found["scores"]["score"]


def _annotated(prediction: Path, target: Path, config: "DictConfig") -> "tuple[dict[str, Any], Description]":
    """The scores against COCO's annotations, and the classes they are of."""
    from src.data.description import UNKNOWN, Description
    from src.run.inference.judged import judged
    from src.run.inference.panoptic import panoptic

    for key in ("num_classes", "classes", "values", "void", "depth_scale"):
        if config[key] is not None:
            raise ValueError(f"{key}={config[key]}: is about masks, and {prediction} holds objects: leave it out")
    if target.is_dir() or target.suffix.lower() != ".json":
        raise ValueError(f"target={target}: {prediction} is compared with an annotation file of COCO, target=FILE.json")
    found = panoptic(prediction, target) if _of_segments(prediction) else judged(prediction, target)
    if found.get("empty"):
        print(f"{found['empty']} of {found['images']} images have no result: nothing was found in them")
    names = tuple(found.pop("classes"))
    names = names if len(names) <= UNKNOWN else ()  # a table of them would be a book
    return found, Description(fields=("instances",), classes=names, colors=((0, 0, 0),) * len(names))


def _depths(prediction: Path, target: Path, config: "DictConfig") -> dict[str, Any]:
    """The scores of a folder of depth against another."""
    from src.data.depth_file import SUFFIXES
    from src.run.build import plain
    from src.run.inference.compared import compared

    for key in ("num_classes", "classes", "values", "void"):
        if config[key] is not None:
            raise ValueError(
                f"{key}={config[key]}: is about masks, and depth_scale says that these are depths: leave it out"
            )
    options = plain(config)
    scales = options["depth_scale"]
    scales = scales if isinstance(scales, list) else [scales, scales]
    if len(scales) != 2:
        raise ValueError(f"depth_scale={scales}: one number, or two, of the predictions and of the targets")
    predictions, targets = _files(prediction, SUFFIXES), _files(target, SUFFIXES, config.suffix)
    names = sorted(targets.keys() & predictions.keys())
    how = {key: options[key] for key in ("cap", "crop", "align", "averaging")}
    scores, wrong = compared(predictions, targets, _tracked(names), scales, **how)
    _refuse(_alone(predictions, targets) + wrong)
    return {"scores": scores, "images": len(names)}


def _of_segments(prediction: Path) -> bool:
    """Whether each pixel is answered: in a folder, or in a JSON that is no list of detections."""
    if prediction.is_dir():
        return True
    return prediction.is_file() and b'"segments_info"' in prediction.read_bytes()


def compare(
    prediction: Path,
    target: Path,
    description: "Description",
    *,
    ignore_index: int | None = 255,
    values: str | None = None,
    void: int | None = None,
    absent: str = "exclude",
    suffix: str = "",
) -> dict[str, Any]:
    """Score every mask of one folder against the mask of the same name in the other, one pair in memory at a time.

    Args:
        prediction: folder of index or palette images or .npy files, searched in depth.
        target: the same for the truth; files match by path without the ending.
        description: of the classes.
        ignore_index: file value that is unknown, looked for before the range is checked. A prediction of this value
            on a known pixel is wrong; None if every value is a class.
        values: "binary" for masks of two classes that are drawn as 0 and 255 (or 0 and 1).
        void: as ignore_index, and says that masks of nothing but 0 and 255 are meant so.
        absent: see `src.metric.suite.semantic`.
        suffix: what the targets' names have at their end and the predictions' lack, such as "_gtFine_labelIds".

    Returns:
        scores: plain numbers by name, `score` first; images: how many; confusion: [c][c+1] pixels, true class by
        predicted class, the last column those predicted as unknown.

    Raises:
        ValueError: files that miss their counterpart, differ in size, cannot be read or hold a value that is no
            class, all of them in one message; masks of 0 and 255 alone whose meaning was not said.
    """
    import torch

    from src.data.decode import SUFFIXES
    from src.data.values import Values
    from src.metric import suite

    classes = Values(_declared(description.num_classes, ignore_index, values, void))
    scores = suite.semantic(description, absent=absent)
    predictions, targets = _files(prediction, SUFFIXES), _files(target, SUFFIXES, suffix)
    problems = _alone(predictions, targets)
    seen: tuple[set[int], set[int]] = (set(), set())  # file values in the predictions and in the targets
    names = sorted(targets.keys() & predictions.keys())
    for name in _tracked(names):
        pair, wrong = _pair((predictions[name], targets[name]), classes, seen)
        problems += wrong
        if not wrong:
            scores.update(*(torch.from_numpy(labels)[None] for labels in pair))
    if values is None and void is None:
        _refuse_undeclared_binary((prediction, target), seen)
    _refuse(problems)
    found = scores.compute()
    numbers = suite.flat(found, description)
    return {
        "scores": {"score": numbers["miou"], **numbers},
        "images": len(names),
        "confusion": found["confusion"].tolist(),
    }


def described(
    num_classes: int | None, classes: Sequence[str] | None = None, values: str | None = None
) -> "Description":
    """The classes by number, by name or by both.

    Raises:
        ValueError: neither was said (nor values=binary, which means two), or they differ.
    """
    from src.data.description import Description

    binary = 2 if values == "binary" else None
    number = num_classes or (len(classes) if classes else binary)
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"num_classes={num_classes}: say how many classes there are, or classes=[road,car,...]")
    names = tuple(str(name) for name in classes or range(number))
    if len(names) != number or number != (binary or number):
        raise ValueError(f"num_classes={number} but {len(names)} names in classes, and values={values}: these differ")
    return Description(fields=("mask",), classes=names, colors=((0, 0, 0),) * number)


def _declared(num_classes: int, ignore_index: int | None, values: str | None, void: int | None) -> dict[int, int]:
    """File value -> class, or 255 for unknown."""
    from src.data.description import UNKNOWN

    if values not in (None, "binary"):
        raise ValueError(f"values={values}: the one word known here is binary")
    if values and void is not None:
        raise ValueError(f"values=binary says that 255 is a class, void={void} that there is an unknown: say one")
    if values:
        return {0: 0, 1: 1, 255: 1}
    unknown = ignore_index if void is None else void
    return {index: index for index in range(num_classes)} | ({} if unknown is None else {unknown: UNKNOWN})


def _alone(predictions: Mapping[str, Path], targets: Mapping[str, Path]) -> list[str]:
    """What is in one folder only."""
    problems = [f"missing: no prediction for {targets[name]}" for name in sorted(targets.keys() - predictions.keys())]
    return problems + [
        f"extra: no target for {predictions[name]}" for name in sorted(predictions.keys() - targets.keys())
    ]


def _files(folder: Path, endings: Sequence[str], suffix: str = "") -> dict[str, Path]:
    """The maps below a folder by path without ending and suffix."""
    from src.run.inference.outputs import EXTRAS, INDEX

    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    # What src.predict writes beside its masks is no mask.
    beside = [folder / name for name in EXTRAS] if (folder / INDEX).is_file() else []
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if any(path.is_relative_to(extra) for extra in beside):
            continue
        if path.suffix.lower() not in endings or path.name[0] == "." or not path.stem.endswith(suffix):
            continue
        name = path.relative_to(folder).with_suffix("").as_posix().removesuffix(suffix)
        if name in found:
            raise ValueError(f"{found[name]} and {path} have one name: keep one of them")
        found[name] = path
    if not found:
        said = f" whose names end in {suffix!r}" if suffix else ""
        raise ValueError(f"{folder}: no masks{said}; looked for {', '.join(endings)} in it and below")
    return found


def _pair(
    paths: tuple[Path, Path], classes: "Values", seen: tuple[set[int], set[int]]
) -> "tuple[list[np.ndarray], list[str]]":
    """Prediction and target as class maps, and what is wrong with them; their file values are added to `seen`."""
    import numpy as np

    from src.data import decode

    maps, wrong = [], []
    for path, values in zip(paths, seen, strict=True):
        try:
            labels = decode.labels(path)
            values.update(np.flatnonzero(np.bincount(labels.ravel())).tolist())
            maps.append(classes(labels, path).numpy())
        except ValueError as error:
            wrong.append(str(error))
    sizes = ["x".join(str(side) for side in labels.shape) for labels in maps]
    if not wrong and sizes[0] != sizes[1]:
        wrong.append(f"{paths[0]} is {sizes[0]} (height x width), its target {paths[1]} is {sizes[1]}")
    return maps, wrong


def _tracked(names: Sequence[str]) -> Iterable[str]:
    """The names, with a progress bar where somebody looks."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(names, "scoring", console=console, transient=True, disable=not console.is_terminal)


def _refuse_undeclared_binary(folders: tuple[Path, Path], seen: tuple[set[int], set[int]]) -> None:
    for folder, values in zip(folders, seen, strict=True):
        if 255 in values <= {0, 255}:
            raise ValueError(
                f"{folder}: its masks hold nothing but {', '.join(map(str, sorted(values)))}. "
                "If 255 is the second class say values=binary, if it is unknown say void=255"
            )


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = f"\n... and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise ValueError(f"{len(problems)} problems with these files:\n" + "\n".join(problems[:SHOWN]) + more)


def main() -> None:
    """The command."""
    cli.main("score", score)


if __name__ == "__main__":
    main()
