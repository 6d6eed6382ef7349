"""Panoptic results against COCO's panoptic annotations, whoever wrote them (Kirillov et al., 2019)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from src.data import decode
from src.data.description import UNKNOWN
from src.data.segments import classes, segments
from src.metric.panoptic import Panoptic
from src.run.inference.outputs import INDEX

_Maps = tuple[np.ndarray, np.ndarray]  # class and number of the object, of each pixel
_SHOWN = 20  # lines of an error


def panoptic(prediction: Path, target: Path) -> dict[str, Any]:
    """Score every image of the target; files match by path without the ending, classes by name.

    Args:
        prediction: a folder that src.predict made with objects, or a JSON as the target's.
        target: COCO's panoptic annotations; the PNGs are in the folder of its name, beside it. A crowd is unknown.

    Returns:
        scores: plain numbers by name, `score` first; classes: the categories' names; images: how many.

    Raises:
        ValueError: a file is none of these, or predictions and targets do not fit together, all of them in one message.
    """
    truth = _Annotated.read(target, "target")
    found = _Predicted.read(prediction) if prediction.is_dir() else _Annotated.read(prediction, "prediction")
    names = [truth.categories[key] for key in sorted(truth.categories)]
    strangers = sorted({*found.categories.values()} - {*names, "background"})
    if strangers:
        raise ValueError(
            f"prediction={prediction} has the classes {strangers}, which {target} lacks: map them to its own"
        )
    places = {name: place for place, name in enumerate(names)}
    things = [places[truth.categories[key]] for key in truth.things]
    quality = Panoptic(len(names), things)
    problems = [f"no prediction for {name}" for name in sorted({*truth.names} - {*found.names})]
    problems += [f"no target for {name}" for name in sorted({*found.names} - {*truth.names})]
    for name in sorted({*truth.names} & {*found.names}):
        try:
            pair = [_numbered(*side.maps(name, places), things) for side in (found, truth)]
            sizes = ["x".join(map(str, side[0].shape)) for side in pair]
            if sizes[0] != sizes[1]:
                raise ValueError(f"{name}: the prediction is {sizes[0]} (height x width), its target {sizes[1]}")
            quality.update(*(tuple(torch.from_numpy(part)[None] for part in side) for side in pair))
        except ValueError as error:
            problems.append(str(error))
    _refuse(prediction, problems)
    return {"scores": _plain(quality, names), "classes": names, "images": len(truth.names)}


@dataclass(frozen=True)
class _Annotated:
    """COCO's JSON."""

    path: Path
    categories: dict[int, str]  # name by id
    things: frozenset[int]
    said: dict[str, Sequence[Mapping[str, Any]]]  # segments by name of the image

    @classmethod
    def read(cls, path: Path, key: str) -> "_Annotated":
        try:
            content = json.loads(path.read_bytes())
            return cls(
                path,
                categories={one["id"]: str(one["name"]) for one in content["categories"]},
                things=frozenset(one["id"] for one in content["categories"] if one.get("isthing", 1)),
                said={
                    Path(one["file_name"]).with_suffix("").as_posix(): one["segments_info"]
                    for one in content["annotations"]
                },
            )
        except OSError as error:
            raise ValueError(f"{key}={path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{key}={path}: is no panoptic JSON of COCO, whose annotations have file_name and segments_info, and "
                f"whose categories have id and name ({type(error).__name__}: {error})"
            ) from error

    @property
    def names(self) -> Sequence[str]:
        return list(self.said)

    def maps(self, name: str, places: Mapping[str, int]) -> _Maps:
        said, file = self.said[name], self.path.with_suffix("") / f"{name}.png"
        strangers = sorted({one["category_id"] for one in said} - self.categories.keys())
        if strangers:
            raise ValueError(f"{self.path}: {name} has the categories {strangers}, which it does not list")
        ids = segments(file, [one["id"] for one in said], self.path)
        known = [one for one in said if not one.get("iscrowd")]
        return classes(ids, {one["id"]: places.get(self.categories[one["category_id"]], UNKNOWN) for one in known}), ids


@dataclass(frozen=True)
class _Predicted:
    """What src.predict made."""

    path: Path
    categories: dict[int, str]  # name by index
    names: Sequence[str]

    @classmethod
    def read(cls, path: Path) -> "_Predicted":
        try:
            content = json.loads((path / INDEX).read_bytes())
            names = [one["name"] for one in content["files"] if one["status"] == "written"]
            found = cls(path, {one["index"]: one["name"] for one in content["classes"]}, names)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"prediction={path}: has no {INDEX} of src.predict: give its output, or a JSON") from error
        if not (path / "objects").is_dir():
            raise ValueError(f"prediction={path}: things are not told apart: predict with objects=true")
        return found

    def maps(self, name: str, places: Mapping[str, int]) -> _Maps:
        mask, ids = (decode.labels(folder / f"{name}.png") for folder in (self.path, self.path / "objects"))
        meant = {index: places[word] for index, word in self.categories.items() if word in places}
        return classes(mask, meant), ids.astype(np.int64)


def _numbered(mask: np.ndarray, ids: np.ndarray, things: Sequence[int]) -> _Maps:
    """A thing's pixel that is of no object, because that was too small, is of nothing."""
    return np.where((ids == 0) & np.isin(mask, things), np.uint8(UNKNOWN), mask), ids


def _plain(quality: Panoptic, names: Sequence[str]) -> dict[str, float]:
    values = quality.compute()
    each = values.pop("pq/class").tolist()
    single = {name: float(value) for name, value in values.items()}
    return {"score": single["pq"], **single} | {f"pq/{name}": value for name, value in zip(names, each, strict=True)}


def _refuse(path: Path, problems: Sequence[str]) -> None:
    if problems:
        more = f"\n... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        listed = "\n".join(problems[:_SHOWN])
        raise ValueError(f"prediction={path}: {len(problems)} images cannot be scored:\n{listed}{more}")
