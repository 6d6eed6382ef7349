"""A world whose colours can be guessed from grey, as those of ours can: bricks are red, boards brown, grass green."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.figure import Figure
from src.data.scene.palette import linear
from src.data.scene.pattern import bricks, planks, tiles
from src.data.scene.plane import Plane
from src.data.scene.scene import Scene
from src.data.scene.solid import Solid

_LAID = {bricks: "a8452f", planks: "9a6433", tiles: "3f8790"}  # on floors, walls and grounds
_OF_KIND = {
    "floor": "b08d62",
    "wall": "d8c7a0",
    "ceiling": "d3d7e0",
    "ground": "66913a",
    "box": "bf5a35",
    "sphere": "d8b32c",
    "cylinder": "3f6fb0",
    "cone": "8a4f9a",
}
_BRIGHTNESS = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear RGB (Rec. 709)


def natural(scene: Scene) -> Scene:
    """The same scene under a blue sky, as bright as it was, in colours of its own for each kind of thing and for what
    floors, walls and grounds are laid with; people stay as they are."""
    sky = replace(scene.sky, zenith=_as_bright(scene.sky.zenith[:, None], linear("3f86d0"))[:, 0])
    planes, solids = (tuple(map(_colored, surfaces)) for surfaces in (scene.planes, scene.solids))
    return replace(scene, planes=planes, solids=solids, sky=sky)


def _colored(surface: Plane | Solid | Figure) -> Plane | Solid | Figure:
    if isinstance(surface, Figure):
        return surface
    material = surface.material
    laid = _LAID.get(material.pattern) if isinstance(surface, Plane) else None
    colors = _as_bright(material.colors, linear(laid or _OF_KIND[surface.label]))
    return replace(surface, material=replace(material, colors=colors))


def _as_bright(colors: Float32[ndarray, "3 n"], color: Float32[ndarray, "3"]) -> Float32[ndarray, "3 n"]:
    """Of each colour the shade of `color`, or the tint of it with white, that is as bright."""
    bright, own = _BRIGHTNESS @ colors, _BRIGHTNESS @ color
    shade = color[:, None] * np.minimum(bright / own, 1)
    tint = np.clip((bright - own) / (1 - own), 0, 1)
    return shade + (1 - shade) * tint
