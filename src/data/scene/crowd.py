"""People among the things of a scene: alone, close together, or behind something."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from src.data.scene.camera import Camera
from src.data.scene.furnish import in_view
from src.data.scene.mannequin import mannequin
from src.data.scene.scene import Scene

_REACH = (2.0, 6.0)  # nearest and farthest distance from the camera, metres
_ROOM = 0.3  # metres around a person that belong to nothing else
_BESIDE = 0.4  # share of the people who stand close to the one before
_CLOSE = (0.5, 0.8)  # metres to the neighbour, then
_TRIES = 60  # places that are tried for a person who is then left out


def crowd(rng: np.random.Generator, scene: Scene, camera: Camera, mean: float) -> Scene:
    """The scene with people in it, as many as a Poisson distribution of that mean says, if there is room for them."""
    people, spots = [], []
    for _ in range(rng.poisson(mean)):
        for spot in (_spot(rng, camera, spots) for _ in range(_TRIES)):
            if _free(scene, spot) and all(np.hypot(*(spot - other)) >= _CLOSE[0] for other in spots):
                spots.append(spot)
                people += mannequin(rng, spot, rng.uniform(0, 2 * np.pi))
                break
    return replace(scene, solids=scene.solids + tuple(people))


def _spot(rng: np.random.Generator, camera: Camera, spots: list[Float[ndarray, "2"]]) -> Float[ndarray, "2"]:
    if spots and rng.random() < _BESIDE:
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(*_CLOSE)
        beside = spots[-1] + distance * np.array([np.sin(angle), np.cos(angle)])
        if np.hypot(*(beside - camera.position[:2])) >= _REACH[0]:
            return beside
    return in_view(rng, camera, _REACH)


def _free(scene: Scene, spot: Float[ndarray, "2"]) -> bool:
    """Neither in a wall nor in a thing."""
    walls = (plane for plane in scene.planes if plane.normal[2] == 0)
    if any(plane.normal[:2] @ spot - plane.offset < _ROOM for plane in walls):
        return False
    gaps = (spot - solid.center[:2] for solid in scene.solids)
    reaches = (np.hypot(*(np.abs(solid.rotation) @ solid.size)[:2]) for solid in scene.solids)
    return all(np.hypot(*gap) > reach + _ROOM for gap, reach in zip(gaps, reaches, strict=True))
