"""Sportive poses: the Leeds Sports Pose extended training set (Johnson and Everingham, 2011)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.io import loadmat

from src.data import decode
from src.data.coco_index import COCOIndex
from src.data.description import Description
from src.data.held_out import last_fifth
from src.data.interface import MissingSplit
from src.data.layout import complain, located, present
from src.data.pair import Pair
from src.data.sample import Instances, Sample

_SIGMAS = {  # COCO's of the same joint; head and neck, which it lacks, as a shoulder (Li et al., 2019)
    "right_ankle": 0.089,
    "right_knee": 0.087,
    "right_hip": 0.107,
    "left_hip": 0.107,
    "left_knee": 0.087,
    "left_ankle": 0.089,
    "right_wrist": 0.062,
    "right_elbow": 0.072,
    "right_shoulder": 0.079,
    "left_shoulder": 0.079,
    "left_elbow": 0.072,
    "left_wrist": 0.062,
    "neck": 0.079,
    "head_top": 0.079,
}
_FLIP_PAIRS = ((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9))
_SKELETON = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (4, 5)),  # along the legs
    *((6, 7), (7, 8), (8, 12), (12, 9), (9, 10), (10, 11), (12, 13)),  # along the arms, and to the top of the head
)
_MARGIN = 0.1  # of the longer side of the box around the joints: what of a person lies beyond them


class LSPET:
    """One person an image with 14 joints, in the published layout or as COCO's JSON.

    That is `images/im00001.jpg` ... and `joints.mat`, where val is the last fifth of the images; or `images` and
    `annotations/person_keypoints_{train,val}.json`. Of persons beside the annotated one nothing is known. There are no
    masks: a box is that of the labelled joints and a tenth of its longer side around it, and its area is the object's.
    """

    def __init__(self, root: str | Path, split: str, max_pixels: int = decode.MAX_PIXELS) -> None:
        """Read the joints of a split.

        Args:
            root: holds `images`, and `joints.mat` or `annotations`; or a folder `lspet_dataset` that does.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, joints of another kind, or images that are not there.
            MissingSplit: there is no such split; all of LSPET is meant for training.
        """
        folder = located(root, ["lspet_dataset"], "images", "LSPET")
        self.source = folder / "joints.mat"
        if self.source.is_file():
            joints, pairs = _original(self.source, split)
        else:
            self.source, joints, pairs = _json(folder, split)
        self.joints = dict(zip([pair.name for pair in pairs], joints, strict=True))
        self.pairs, self.max_pixels = present(pairs, self.source), max_pixels

    def describe(self) -> Description:
        """Persons and their joints; left and right are the person's own."""
        return Description(
            fields=("image", "instances"),
            classes=("person",),
            colors=((230, 90, 70),),
            things=("person",),
            keypoints=tuple(_SIGMAS),
            flip_pairs=_FLIP_PAIRS,
            sigmas=tuple(_SIGMAS.values()),
            skeleton=_SKELETON,
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        sample, joints = pair.sample(None, 3, self.max_pixels), self.joints[pair.name]
        if not joints[:, 2].any():
            raise ValueError(f"{pair.image} has no labelled joint in {self.source}")
        return replace(sample, instances=_person(joints, sample.size))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.pairs[index].files(), str(self.source))


def _person(joints: Float[np.ndarray, "14 3"], size: tuple[int, int]) -> Instances:
    """The one person of an image, in a box cut at the image's borders."""
    places = joints[joints[:, 2] > 0, :2]
    low, high = places.min(0), places.max(0)
    margin = _MARGIN * (high - low).max()
    x0, y0 = np.maximum(low - margin, 0).tolist()
    x1, y1 = np.minimum(high + margin, size[::-1]).tolist()
    return Instances(
        boxes=torch.tensor([[x0, y0, x1, y1]]),
        labels=torch.zeros(1, dtype=torch.int64),
        keypoints=torch.from_numpy(joints[None].astype(np.float32)),
        areas=torch.tensor([(x1 - x0) * (y1 - y0)]),
    )


def _original(source: Path, split: str) -> tuple[Float[np.ndarray, "n 14 3"], list[Pair]]:
    """From a matrix [14 3 n] of x, y and whether a joint is labelled; or [3 14 n], as the set that this one extends."""
    if split not in ("train", "val"):
        raise MissingSplit(f"{source} is divided into train and val here, there is no {split!r}")
    try:
        matrix = np.asarray(loadmat(source)["joints"], np.float64)
    except Exception as error:  # scipy raises nearly anything over a damaged file
        raise ValueError(f"{source} cannot be read as a matrix named joints: {error!r}") from error
    if matrix.ndim != 3 or matrix.shape[:2] not in ((14, 3), (3, 14)):
        raise ValueError(f"{source} holds joints of shape {matrix.shape}, where 14x3 or 3x14 for each image are meant")
    joints = matrix.transpose((2, 0, 1) if len(matrix) == 14 else (2, 1, 0)).copy()
    joints[..., 2] *= 2  # labelled, which COCO writes so
    folder = source.parent / "images"
    pairs = [Pair(f"im{number:05}", folder / f"im{number:05}.jpg") for number in range(1, len(joints) + 1)]
    part = last_fifth(len(joints), split)
    return _known(joints[part]), pairs[part]


def _json(folder: Path, split: str) -> tuple[Path, Float[np.ndarray, "n 14 3"], Sequence[Pair]]:
    """The annotation file, and what it says."""
    source = folder / f"annotations/person_keypoints_{split}.json"
    if not source.is_file():
        there = ", ".join(sorted(path.name for path in folder.glob("annotations/*.json"))) or "none"
        raise MissingSplit(f"LSPET needs joints.mat in {folder}, or {source}; JSON files there: {there}")
    index = COCOIndex.read(source, folder / "images")
    if index.points.names != tuple(_SIGMAS):
        raise ValueError(f"{source} is of the keypoints {list(index.points.names)}, LSPET's are {list(_SIGMAS)}")
    said = {pair: index.annotations[pair.name] for pair in index.pairs}
    several = [f"{pair.image} has {len(found)}" for pair, found in said.items() if len(found) != 1]
    complain(f"{source}: one person per image was expected", {"with another number": several})
    single = {pair: found[0] for pair, found in said.items() if len(found) == 1}
    try:
        joints = np.array([one["keypoints"] for one in single.values()], np.float64).reshape(-1, 14, 3)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{source} does not give x, y and visibility of 14 joints for each person: {error}") from error
    return source, _known(joints), list(single)


def _known(joints: Float[np.ndarray, "n 14 3"]) -> Float[np.ndarray, "n 14 3"]:
    """The same with 0, 0, 0 for what is not labelled, or at no place."""
    known = (joints[..., 2:] > 0) & np.isfinite(joints).all(-1, keepdims=True)
    return np.where(known, joints, 0)
