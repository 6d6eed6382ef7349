"""KITTI's depth prediction, drives with sparse laser depth (Geiger et al., 2013; Uhrig et al., 2017)."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from src.data import decode
from src.data.description import Description
from src.data.geometry import Geometry
from src.data.interface import MissingSplit
from src.data.layout import complain, lines, located
from src.data.pair import Pair
from src.data.sample import Sample

_SCALE = 256.0  # units in a metre
_TRUTH = "proj_depth/groundtruth"
_CALIBRATION = "calib_cam_to_cam.txt"


class KITTI:
    """The official layouts of the annotated depth and of the raw recordings.

    - `data_depth_annotated/{train,val}/DRIVE/proj_depth/groundtruth/{image_02,image_03}/NUMBER.png`, 16 bits.
    - `DATE/DRIVE/{image_02,image_03}/data/NUMBER.png` (or .jpg), and `DATE/calib_cam_to_cam.txt`.
    """

    def __init__(
        self, root: str | Path, split: str, raw: str | Path | None = None, max_pixels: int = decode.MAX_PIXELS
    ) -> None:
        """List the depth maps of a split.

        Args:
            root: `data_depth_annotated`, or the folder that holds it.
            raw: the folder that holds the dates of the raw recordings; null looks for them in `root` and in
                `root/raw`.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, or depth maps whose picture or camera is not there: all of them.
            MissingSplit: the split is not there; of test, the depth is not public.
        """
        folder = located(root, ["data_depth_annotated"], "train", "KITTI's annotated depth")
        if split == "test" or not (folder / split).is_dir():
            reason = "its depth is not public" if split == "test" else f"{folder / split} does not exist"
            raise MissingSplit(f"KITTI has no split {split!r} here: {reason}; the official ones are train and val")
        depths = {_name(path, folder / split): path for path in sorted((folder / split).glob(f"*/{_TRUTH}/*/*.png"))}
        if not depths:
            raise ValueError(f"{folder / split} has no depth: looked for DRIVE/{_TRUTH}/image_02/NUMBER.png")
        recordings = _recordings(Path(root).expanduser(), raw, next(iter(depths)))
        self.pairs = _pairs(recordings, folder / split, list(depths))
        self._geometry = Geometry(depths, scale=_SCALE, max_pixels=max_pixels)
        self._cameras = _cameras(recordings, self.pairs)
        self.max_pixels = max_pixels

    def describe(self) -> Description:
        """Pictures of the colour cameras, depth and intrinsics."""
        return Description(fields=("image", "depth", "camera"))

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        sample = pair.sample(channels=3, max_pixels=self.max_pixels)
        return self._geometry.added(sample, pair.image, self._cameras[_eye(pair.name)])

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.pairs[index].files(), *self._geometry.files(self.pairs[index].name))


def _name(path: Path, split: Path) -> str:
    """DRIVE/image_02/NUMBER."""
    drive, *_, eye, _ = path.relative_to(split).parts
    return f"{drive}/{eye}/{path.stem}"


def _eye(name: str) -> tuple[str, str]:
    """The date and the camera: what the intrinsics depend on."""
    drive, eye, _ = name.split("/")
    return drive[:10], eye


def _recordings(root: Path, raw: str | Path | None, name: str) -> Path:
    """The folder of the raw recordings."""
    date = _eye(name)[0]
    places = [Path(raw).expanduser()] if raw else [root, root / "raw", root.parent, root.parent / "raw"]
    for place in places:
        if (place / date).is_dir():
            return place
    looked = " or ".join(str(place / date) for place in places)
    raise ValueError(f"the pictures of {name} are not there: looked for {looked}; say data.raw=FOLDER_OF_THE_DATES")


def _pairs(recordings: Path, split: Path, names: list[str]) -> list[Pair]:
    """Those of the depth maps whose picture is there, which is all of them."""
    pairs, missing = [], []
    for name in names:
        drive, eye, number = name.split("/")
        picture = recordings / drive[:10] / drive / eye / "data" / f"{number}.png"
        found = next((path for path in (picture, picture.with_suffix(".jpg")) if path.is_file()), None)
        if found is None:
            missing.append(str(picture))
        else:
            pairs.append(Pair(name, found))
    complain(f"depth in {split} and pictures in {recordings} do not match", {"pictures missing": missing})
    return pairs


def _cameras(recordings: Path, pairs: list[Pair]) -> dict[tuple[str, str], Float[Tensor, "3 3"]]:
    """Of every date and camera, at the size of the rectified pictures."""
    return {(date, eye): _camera(recordings / date / _CALIBRATION, eye) for date, eye in {_eye(p.name) for p in pairs}}


def _camera(path: Path, eye: str) -> Float[Tensor, "3 3"]:
    """The left three columns of the projection after rectification."""
    key = f"P_rect_{eye.removeprefix('image_')}"
    rows = dict(line.split(":", 1) for line in lines(path) if ":" in line)
    try:
        return torch.tensor([float(word) for word in rows[key].split()]).view(3, 4)[:, :3].clone()
    except (KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} has no line {key} with 12 numbers: take it from the raw recordings anew") from error
