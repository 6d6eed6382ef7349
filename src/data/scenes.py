"""The embedded default dataset: ray-cast scenes made from a seed, with every field known exactly."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.field import Depth, Normals
from src.data.interface import MissingSplit
from src.data.sample import Instances, Sample
from src.data.scene.field import field
from src.data.scene.hits import Hits
from src.data.scene.picture import centers, picture
from src.data.scene.room import room
from src.data.scene.vector import times

_COLORS = {
    "floor": (150, 111, 84),
    "wall": (214, 200, 170),
    "ceiling": (160, 170, 190),
    "ground": (122, 150, 80),
    "sky": (120, 180, 235),
    "box": (222, 96, 70),
    "sphere": (245, 190, 60),
    "cylinder": (70, 110, 180),
    "cone": (150, 80, 160),
}
_CLASSES = tuple(_COLORS)
_THINGS = ("box", "sphere", "cylinder", "cone")
_SPLITS = ("train", "val", "test")
_LENGTHS = {"train": 600, "val": 100, "test": 100}


class Scenes:
    """Rooms and open grounds with boxes, spheres, cylinders and cones; a scene depends on seed, split and index alone.

    Apart from the sensor's noise it looks the same at any resolution. Depth, normals and classes are those of what the
    ray through a pixel's centre meets; the image is antialiased.
    """

    def __init__(
        self,
        split: str = "train",
        resolution: Sequence[int] = (96, 128),
        lengths: Mapping[str, int] = _LENGTHS,
        scene_seed: int = 0,
        rooms: float = 0.6,
    ) -> None:
        """Nothing is rendered yet.

        Args:
            split: train, val or test.
            resolution: height and width of the pictures.
            lengths: number of scenes by split; 0 for a split that is not wanted.
            scene_seed: another seed, other scenes; the seed of a run does not change them.
            rooms: share of the scenes that are rooms; the others are in the open.

        Raises:
            MissingSplit: there is no such split.
            ValueError: resolution, seed or share is out of range.
        """
        if split not in _SPLITS:
            raise MissingSplit(f"scenes has the splits {', '.join(_SPLITS)}, not {split!r}")
        if lengths.get(split, 0) < 1:
            raise MissingSplit(f"data.lengths.{split}={lengths.get(split)}: the split {split!r} has no scenes")
        if len(resolution) != 2 or min(resolution) < 1:
            raise ValueError(f"data.resolution={list(resolution)}: two positive numbers, height and width")
        if scene_seed < 0:
            raise ValueError(f"data.scene_seed={scene_seed}: at least 0")
        if not 0 <= rooms <= 1:
            raise ValueError(f"data.rooms={rooms}: a share lies between 0 and 1")
        self.split, self.length, self.rooms = split, lengths[split], rooms
        self.resolution = (int(resolution[0]), int(resolution[1]))
        self.seed = (scene_seed, _SPLITS.index(split))

    def describe(self) -> Description:
        """All fields; channels and range of an 8-bit colour image."""
        fields = ("image", "mask", "depth", "normals", "instances", "camera")
        return Description(fields=fields, classes=_CLASSES, colors=tuple(_COLORS.values()), things=_THINGS)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        """Render a scene."""
        if not 0 <= index < self.length:
            raise IndexError(f"scene {index} of {self.length}")
        rng = np.random.default_rng([*self.seed, index])
        scene, camera = room(rng) if rng.random() < self.rooms else field(rng)
        size = self.resolution
        hits = Hits.of(scene, camera.position, camera.rays(centers(size), size))
        classes = np.array([_CLASSES.index(surface.label) for surface in scene.surfaces] + [_CLASSES.index("sky")])
        return Sample(
            image=tv_tensors.Image(torch.from_numpy(picture(rng, scene, camera, hits, size))),
            mask=tv_tensors.Mask(torch.from_numpy(classes[hits.surface].astype(np.uint8).reshape(size))),
            depth=Depth(torch.from_numpy(hits.distance.reshape(1, *size))),
            normals=Normals(torch.from_numpy(times(camera.rotation, hits.normal).reshape(3, *size))),
            instances=_instances(hits.surface.reshape(size), classes, len(scene.planes)),
            camera=torch.from_numpy(camera.intrinsics(size)),
            name=self.name(index),
            size=size,
        )

    def name(self, index: int) -> str:
        """Split and number, as `val/00007`."""
        return f"{self.split}/{index:05d}"

    def size(self, index: int) -> tuple[int, int]:
        """Height and width, the same for all."""
        return self.resolution

    def files(self, index: int) -> tuple[str, ...]:
        """None: nothing is read."""
        return ()


def _instances(surface: np.ndarray, classes: np.ndarray, num_planes: int) -> Instances:
    """The solids of which at least a thousandth of the picture is seen; smaller ones are in the mask alone."""
    indices, areas = np.unique(surface, return_counts=True)
    seen = indices[(indices >= num_planes) & (areas >= surface.size / 1000)]
    masks = surface == seen[:, None, None]
    boxes = np.array([_box(mask) for mask in masks], np.float32).reshape(-1, 4)
    return Instances(
        boxes=tv_tensors.BoundingBoxes(torch.from_numpy(boxes), format="XYXY", canvas_size=surface.shape),
        labels=torch.from_numpy(classes[seen]),
        masks=tv_tensors.Mask(torch.from_numpy(masks)),
    )


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The edges of the pixels that are set: x0, y0, x1, y1."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
