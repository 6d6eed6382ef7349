"""Depth and normals beside an image: which files they are in, and how those are read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from src.data import decode
from src.data.depth_file import SUFFIXES, depth
from src.data.field import Depth, Normals
from src.data.layout import complain
from src.data.normals_file import normals
from src.data.plane_normals import plane_normals
from src.data.sample import Sample

COMPUTED = "computed"  # in the place of a folder of normals


@dataclass(frozen=True)
class Geometry:
    """The files of a split, by the names of its images, and what their values mean."""

    depths: dict[str, Path] | None = None
    normals: dict[str, Path] | None = None
    scale: float | int = 1000  # units of integer depth in a metre
    steps: float | int | None = None  # and of such of 8 bits, see `depth_file`
    signs: Sequence[float | int] = (1, 1, 1)  # see `normals_file`
    computed: bool = False  # normals come from the depth and the camera
    window: int = 5  # of these, in pixels
    rough: float | int = 0.005  # see `plane_normals`
    max_pixels: int = decode.MAX_PIXELS

    @property
    def fields(self) -> tuple[str, ...]:
        """What it adds to a sample."""
        both = {"depth": self.depths, "normals": self.normals or self.computed or None}
        return tuple(name for name, there in both.items() if there is not None)

    def added(self, sample: Sample, image: Path, camera: Float[Tensor, "3 3"] | None = None) -> Sample:
        """The sample with depth, normals and camera.

        Args:
            image: the file of its image, for messages.
            camera: intrinsics at the size of the image.

        Raises:
            ValueError: a file that cannot be read, that holds what it may not, or that is of another size.
        """
        seen = None if self.depths is None else depth(self.depths[sample.name], self.scale, self.steps, self.max_pixels)
        facing = None if self.normals is None else normals(self.normals[sample.name], self.signs, self.max_pixels)
        for files, field in ((self.depths, seen), (self.normals, facing)):
            if field is not None and tuple(field.shape[-2:]) != tuple(sample.size):
                raise ValueError(_mismatch(image, sample.size, files[sample.name], tuple(field.shape[-2:])))
        if self.computed:
            facing = plane_normals(seen, camera, self.window, rough=self.rough)
        return replace(
            sample,
            depth=None if seen is None else Depth(seen),
            normals=None if facing is None else Normals(facing),
            camera=camera,
        )

    def files(self, name: str) -> tuple[str, ...]:
        """The paths of a sample's depth and normals."""
        return tuple(str(files[name]) for files in (self.depths, self.normals) if files is not None)


def beside(names: Sequence[str], folder: Path, what: str) -> dict[str, Path]:
    """The file below `folder` for each of the names.

    Raises:
        ValueError: no such folder, and names without a file, or with two: all of them.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: say where the {what} are")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), []).append(path)
    twice = [str(path) for name in names for path in found.get(name, []) if len(found[name]) > 1]
    alone = [name for name in names if name not in found]
    complain(f"images and {what} in {folder} do not match", {"of the same name": twice, f"without {what}": alone})
    return {name: found[name][0] for name in names if name in found}


def _mismatch(image: Path, size: tuple[int, int], file: Path, other: tuple[int, int]) -> str:
    said = f"{image} is {size[0]}x{size[1]} (height x width), {file} is {other[0]}x{other[1]}"
    if other == size[::-1]:
        return f"{said}: one of them is transposed"
    return f"{said}: they need one size, so resize the image, or the file to the nearest pixel"
