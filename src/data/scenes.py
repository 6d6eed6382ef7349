"""The embedded default dataset: ray-cast scenes made from a seed, with every field known exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.field import Depth, Normals, Quantity
from src.data.interface import MissingSplit
from src.data.people import FLIP_PAIRS, KEYPOINTS, SIGMAS, SKELETON
from src.data.sample import Instances, Sample
from src.data.scene.camera import Camera
from src.data.scene.crowd import crowd
from src.data.scene.field import field
from src.data.scene.hits import SKY, Hits, groups
from src.data.scene.natural import natural
from src.data.scene.objects import objects
from src.data.scene.pattern import PATTERNS
from src.data.scene.picture import centers, picture
from src.data.scene.room import room
from src.data.scene.scene import Scene
from src.data.scene.shade import Shade
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
_PERSON = (230, 120, 160)
_MATERIALS = {
    "plain": (200, 195, 185),
    "noise": (110, 140, 90),
    "checker": (60, 60, 70),
    "stripes": (225, 150, 60),
    "dots": (190, 70, 130),
    "bricks": (175, 75, 55),
    "tiles": (80, 150, 170),
    "planks": (140, 100, 60),
    "sky": (120, 180, 235),
}
_THINGS = ("box", "sphere", "cylinder", "cone")
_SPLITS = ("train", "val", "test")
_MOST = 20  # more people than that find no room
_LENGTHS = {"train": 600, "val": 100, "test": 100}


class Scenes:
    """Rooms and open grounds with boxes, spheres, cylinders and cones, on request with people among them.

    A scene depends on seed, split and index alone, and is the same with people in it, but for where they shade it.

    Apart from the sensor's noise it looks the same at any resolution. Depth, normals and classes are those of what the
    ray through a pixel's centre meets; the image is antialiased.

    So are albedo and shading, in linear RGB, NaN in the sky. Before the sensor makes an image of it (an exposure and a
    tint, a soft shoulder, a gamma of 2, noise), light is haze(albedo · shading + highlight): the highlight is 0 on what
    does not shine, the haze nothing to speak of in a room.
    """

    def __init__(
        self,
        split: str = "train",
        resolution: Sequence[int] = (96, 128),
        lengths: Mapping[str, int] = _LENGTHS,
        scene_seed: int = 0,
        rooms: float = 0.6,
        people: float | int = 0.0,
        labels: Literal["class", "material"] = "class",
        colors: Literal["any", "natural"] = "any",
        things: Sequence[str] | None = None,
    ) -> None:
        """Nothing is rendered yet.

        Args:
            split: train, val or test.
            resolution: height and width of the pictures.
            lengths: number of scenes by split; 0 for a split that is not wanted.
            scene_seed: another seed, other scenes; the seed of a run does not change them.
            rooms: share of the scenes that are rooms; the others are in the open.
            people: mean number of people in a scene; with 0 there is no class person, and there are no keypoints.
            labels: what the mask tells apart: the `class` of what is seen, or its `material`, which is the pattern on
                it, too far away to be made out or not; objects have a class and are left out then.
            colors: `any` tells nothing; with `natural` patterns and kinds of things have colours of their own, so that
                there is something to learn for who sees lightness alone.
            things: classes whose objects are told apart; None for all that are countable.

        Raises:
            MissingSplit: there is no such split.
            ValueError: resolution, seed, share or mean is out of range, or a thing is none.
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
        if not 0 <= people <= _MOST:
            raise ValueError(f"data.people={people}: the mean number in a scene lies between 0 and {_MOST}")
        self.split, self.length, self.rooms, self.people = split, lengths[split], rooms, float(people)
        self.material, self.natural = labels == "material", colors == "natural"
        self.colors = _MATERIALS if self.material else _COLORS | {"person": _PERSON} if people else _COLORS
        self.classes = tuple(self.colors)
        countable = () if self.material else (*_THINGS, "person") if people else _THINGS
        strangers = sorted(set(things or ()) - set(countable))
        if strangers:
            raise ValueError(f"data.things names {strangers}; the things of these scenes are {list(countable)}")
        self.things = countable if things is None else tuple(name for name in countable if name in things)
        self.resolution = (int(resolution[0]), int(resolution[1]))
        self.seed = (scene_seed, _SPLITS.index(split))

    def describe(self) -> Description:
        """All fields; channels and range of an 8-bit colour image."""
        fields = ("image", "mask", "depth", "normals", "instances", "camera", "albedo", "shading")
        if self.material:
            fields = tuple(name for name in fields if name != "instances")
        plain = Description(fields, self.classes, tuple(self.colors.values()), things=self.things)
        if "person" not in self.things:
            return plain
        facts = {"keypoints": KEYPOINTS, "flip_pairs": FLIP_PAIRS, "sigmas": SIGMAS, "skeleton": SKELETON}
        return replace(plain, **facts)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        """Render a scene."""
        if not 0 <= index < self.length:
            raise IndexError(f"scene {index} of {self.length}")
        rng = np.random.default_rng([*self.seed, index])
        scene, camera = room(rng) if rng.random() < self.rooms else field(rng)
        if self.people:  # from numbers of their own, so that the rest stays as it is
            scene = crowd(np.random.default_rng([*self.seed, index, 1]), scene, camera, self.people)
        if self.natural:
            scene = natural(scene)
        size = self.resolution
        direction = camera.rays(centers(size), size)
        hits = Hits.of(scene, camera.position, direction)
        shade = Shade.of(scene, hits, direction, 1 / camera.focal(size))
        return Sample(
            image=tv_tensors.Image(torch.from_numpy(picture(rng, scene, camera, hits, shade, size))),
            mask=tv_tensors.Mask(torch.from_numpy(self._labels(scene, hits).astype(np.uint8).reshape(size))),
            depth=Depth(torch.from_numpy(hits.distance.reshape(1, *size))),
            normals=Normals(torch.from_numpy(times(camera.rotation, hits.normal).reshape(3, *size))),
            values={name: self._known(getattr(shade, name), hits) for name in ("albedo", "shading")},
            instances=None if self.material else self._objects(scene, camera, hits),
            camera=torch.from_numpy(camera.intrinsics(size)),
            name=self.name(index),
            size=size,
        )

    def _known(self, light: np.ndarray, hits: Hits) -> Quantity:
        known = np.where(hits.surface == SKY, np.float32(np.nan), light)
        return Quantity(torch.from_numpy(known.reshape(3, *self.resolution)))

    def _labels(self, scene: Scene, hits: Hits) -> np.ndarray:
        if not self.material:
            return self._indices(scene)[hits.surface]
        kinds = np.full(len(hits.surface), len(PATTERNS))  # the sky's
        for index, rays in groups(hits.surface):
            kinds[rays] = scene.surfaces[index].material.kind(hits.uv[:, rays])
        return kinds

    def _indices(self, scene: Scene) -> np.ndarray:
        """Of the class of each surface, and of the sky."""
        return np.array([self.classes.index(label) for label in [*(each.label for each in scene.surfaces), "sky"]])

    def _objects(self, scene: Scene, camera: Camera, hits: Hits) -> Instances:
        surface, poses = hits.surface.reshape(self.resolution), "person" in self.things
        found = objects(scene, camera, surface, self._indices(scene), people=poses)
        countable = torch.tensor([self.classes.index(name) for name in self.things])
        return found.only(torch.isin(found.labels, countable))

    def name(self, index: int) -> str:
        """Split and number, as `val/00007`."""
        return f"{self.split}/{index:05d}"

    def size(self, index: int) -> tuple[int, int]:
        """Height and width, the same for all."""
        return self.resolution

    def files(self, index: int) -> tuple[str, ...]:
        """None: nothing is read."""
        return ()
