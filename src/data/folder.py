"""Anybody's own images with masks, depth or normals, in folders, or with masks in a table."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from src.data import decode
from src.data.camera import pinhole
from src.data.coding import BINARY, Coding, coding
from src.data.description import UNKNOWN, Description
from src.data.geometry import COMPUTED, Geometry, beside
from src.data.listing import Listing
from src.data.raster import Raster
from src.data.sample import Sample
from src.data.value_range import black_and_white
from src.data.values import Values


class Folder:
    """Images and what belongs to them, by the same name in other folders; every mask value is declared or refused."""

    def __init__(
        self,
        root: str | Path,
        split: str,
        images: str = "images",
        masks: str | None = "masks",
        csv: str | None = None,
        lists: str | None = None,
        val_fraction: float = 0.2,
        test_fraction: float = 0.0,
        split_seed: int = 0,
        classes: Sequence[str] | int | None = None,
        values: str | Mapping[int, str | int | None] | None = None,
        colors: Mapping[str, Sequence[int]] | Sequence[Sequence[int]] | None = None,
        void: Any = None,
        things: Sequence[str] | None = None,
        multilabel: bool = False,
        channels: int | None = None,
        value_range: Sequence[float | int] | None = None,
        depths: str | None = None,
        depth_scale: float | int = 1000,
        normals: str | None = None,
        normals_signs: Sequence[float | int] = (1, 1, 1),
        camera: Sequence[float | int] | None = None,
        max_pixels: int = decode.MAX_PIXELS,
    ) -> None:
        """List the files of a split, and read the header of the first image.

        Args:
            root: what the other paths are relative to.
            images: folder of images; their subfolders are part of their names.
            masks: folder of masks; None where there are none (colorization needs none).
            csv: a table with the columns image, mask and perhaps split, instead of the two folders.
            lists: folder of `train.txt`, `val.txt` ..., a name a line; without it those in `root`, if they are there.
                Folders `images/train` (or `train/images`) ... come first, a fraction last.
            val_fraction, test_fraction: of the images, chosen by a hash of `split_seed` and their names.
            classes: names in the order of their indices, or how many there are.
            values: what the masks hold: `indices`, `binary` (0 and 255), `colors`, or {file value: class name, index,
                or null for unknown}. None is `colors` where colors are given, and `indices` otherwise.
            colors: {class: [red, green, blue]}, or a list in the order of the classes.
            void: file value, color, or list of them, that means unknown.
            things: the classes that are countable.
            multilabel: masks overlap: `masks/CLASS/NAME.png` of 0 and 255, or 0 and 1, for each class.
            channels: of the images; None: of the first image that can be read, without transparency.
            value_range: what black and white are; None: 0 to 255 or to 65535 by the type, floats must say.
            depths: folder of depth maps, 0 unknown: 16-bit PNG or TIFF, floats in NPY, TIFF, PFM or EXR.
            depth_scale: units of integer depth in a metre; floats are metres.
            normals: folder of normal maps, or `computed` from depth and camera (a plane fitted to 5 × 5 pixels).
            normals_signs: of the x, y, z in their files; [1, -1, -1] where y is up and z towards the camera.
            camera: focal lengths and principal point of the files, [fx, fy, cx, cy] in pixels.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: files that do not match, options that contradict each other, floats without `value_range`.
            MissingSplit: nothing was set apart for this split.
        """
        root = Path(root).expanduser()
        if not root.is_dir():
            raise ValueError(f"data.root={root} is no folder: say where the images and masks are")
        if multilabel and (csv or masks is None or values):
            raise ValueError("data.multilabel=true reads masks/CLASS/NAME.png: no csv and no values beside it")
        folders = _classes(root, masks, classes) if multilabel else None
        if masks is None:
            self.coding = Coding((), (), {})
        elif multilabel:
            self.coding = _overlapping(coding(folders, "indices", colors, None, things), void)
        else:
            self.coding = coding(classes, values, colors, void, things)
        self._camera = None if camera is None else _pinhole(camera)
        listing = Listing(root, images, masks, csv, lists, val_fraction, test_fraction, split_seed, folders)
        self.pairs = listing.pairs(split)
        if csv and (depths or normals):
            raise ValueError("data.csv lists images and masks; depth and normals are found by name: leave data.csv out")
        computed, signs = normals == COMPUTED, tuple(normals_signs)
        how = Geometry(scale=depth_scale, signs=signs, computed=computed, max_pixels=max_pixels)
        places = {"depths": depths, "normals": None if computed else normals}
        self._geometry = replace(how, **self._beside(listing, split, places))
        if self._geometry.computed and (depths is None or camera is None):
            raise ValueError("data.normals=computed needs data.depths, and data.camera=[fx,fy,cx,cy] of their files")
        self.multilabel, self.max_pixels = multilabel, max_pixels
        self._values = Values(self.coding.values) if self.coding.values else None
        self._first, first = _readable(listing.common(), max_pixels)
        self._dtype = first.dtype
        self.channels = channels or first.channels - first.alpha
        self._declared = value_range is not None
        self.value_range = black_and_white(value_range, self._dtype, self._first)

    def _beside(self, listing: Listing, split: str, folders: dict[str, str | None]) -> dict[str, dict[str, Path]]:
        names = [pair.name for pair in self.pairs]
        there = {what: listing.beside(folder, split) for what, folder in folders.items() if folder is not None}
        return {what: beside(names, folder, what) for what, folder in there.items()}

    def describe(self) -> Description:
        """What the options and the first image's header say."""
        return Description(
            fields=(
                "image",
                *(("mask",) if self._values else ()),
                *self._geometry.fields,
                *(("camera",) if self._camera is not None else ()),
            ),
            classes=self.coding.classes,
            colors=self.coding.colors,
            things=self.coding.things,
            channels=self.channels,
            value_range=self.value_range,
            multilabel=self.multilabel,
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        sample = pair.sample(self._values, self.channels, self.max_pixels, dtype=None)
        image = sample.image.numpy()
        if image.dtype != self._dtype:
            raise ValueError(f"{pair.image} holds {image.dtype}, {self._first} {self._dtype}: convert one of them")
        low, high = image.min(), image.max()
        if self._declared and not self.value_range[0] <= low <= high <= self.value_range[1]:
            raise ValueError(f"{pair.image} holds {low} to {high}, outside data.value_range={list(self.value_range)}")
        return self._geometry.added(sample, pair.image, self._camera)

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.pairs[index].files(), *self._geometry.files(self.pairs[index].name))


def _pinhole(camera: Sequence[float | int]) -> Float[Tensor, "3 3"]:
    if len(camera) != 4 or min(camera[:2]) <= 0:
        raise ValueError(f"data.camera={list(camera)}: focal lengths above 0 and the principal point, [fx, fy, cx, cy]")
    return pinhole(*camera)


def _readable(images: Sequence[Path], max_pixels: int) -> tuple[Path, Raster]:
    """The first image whose header can be read; a damaged one shall be named with all others, when they are read."""
    for image in images:
        with suppress(ValueError):
            return image, decode.opened(image, max_pixels=max_pixels)
    return images[0], decode.opened(images[0], max_pixels=max_pixels)


def _classes(root: Path, masks: str, classes: Sequence[str] | int | None) -> tuple[str, ...]:
    """The folders of overlapping masks."""
    if classes is not None and not isinstance(classes, int):
        return tuple(classes)
    folder = next((each for each in (root / masks / "train", root / "train" / masks) if each.is_dir()), root / masks)
    found = tuple(sorted(path.name for path in folder.glob("[!.]*") if path.is_dir()))
    if not found or (classes is not None and len(found) != classes):
        raise ValueError(f"data.multilabel=true needs a folder per class in {folder}; there are {list(found)}")
    return found


def _overlapping(found: Coding, void: int | Sequence[int] | None) -> Coding:
    """In each class's own file: absent, present, and perhaps unknown."""
    unknown = [void] if isinstance(void, int) else void or ()
    return replace(found, values={**BINARY, **{int(value): UNKNOWN for value in unknown}})
