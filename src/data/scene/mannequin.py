"""People made of capsules, by the shares that a body's parts have of its height (Winter, 2009)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from src.data.people import KEYPOINTS
from src.data.scene import palette
from src.data.scene.atlas import Atlas
from src.data.scene.capsules import Capsules
from src.data.scene.figure import Figure
from src.data.scene.posture import Posture
from src.data.scene.shape import BOX
from src.data.scene.skeleton import skeleton, turned
from src.data.scene.solid import Solid

_SKIN, _HAIR, _EYES, _SHIRT, _TROUSERS, _SHOES = range(6)
_LIMBS = (  # from, to, radius in heights, material; what begins with _ is there on either side
    ("pelvis", "chest", 0.062, _SHIRT),
    ("_hip", "_rib", 0.058, _SHIRT),
    ("left_hip", "right_hip", 0.054, _TROUSERS),
    ("left_shoulder", "right_shoulder", 0.033, _SHIRT),
    ("chest", "skull", 0.03, _SKIN),
    ("skull", "skull", 0.064, _SKIN),
    ("crown", "crown", 0.062, _HAIR),
    ("nose", "nose", 0.012, _SKIN),
    ("_eye", "_eye", 0.01, _EYES),
    ("_ear", "_ear", 0.015, _SKIN),
    ("_shoulder", "_elbow", 0.028, _SHIRT),
    ("_elbow", "_wrist", 0.022, _SKIN),
    ("_wrist", "_hand", 0.02, _SKIN),
    ("_hip", "_knee", 0.046, _TROUSERS),
    ("_knee", "_ankle", 0.032, _TROUSERS),
    ("_heel", "_toe", 0.021, _SHOES),
)
_SEAT = 0.05  # heights from the hips down to what is sat on


def mannequin(rng: np.random.Generator, spot: Float[ndarray, "2"], heading: float) -> list[Figure | Solid]:
    """A random person on the ground at `spot`, turned right by `heading` from the world's y, and what it sits on."""
    height, posture = float(np.clip(rng.normal(1.7, 0.09), 1.45, 1.95)), Posture.random(rng)
    joints, turn = skeleton(posture), turned(2, -heading)
    start, end, radius, cloth = zip(*_both_sides(), strict=True)
    radii = np.array(radius)
    lowest = min((joints[name][2] - radii[i]) for names in (start, end) for i, name in enumerate(names))
    place = {name: (height * (turn @ (at - [0, 0, lowest]))).astype(np.float32) for name, at in joints.items()}
    place = {name: at + np.append(spot, 0).astype(np.float32) for name, at in place.items()}

    def stacked(names: tuple[str, ...]) -> ndarray:
        return np.stack([place[name] for name in names])

    thick = (height * radii).astype(np.float32)
    limbs = Capsules.between(stacked(start), stacked(end), thick)
    depths = [max(r for a, b, r in zip(start, end, thick, strict=True) if name in (a, b)) for name in KEYPOINTS]
    figure = Figure("person", limbs, _clothes(rng), cloth, stacked(KEYPOINTS), np.array(depths, np.float32))
    seat = float(place["pelvis"][2]) - _SEAT * height
    return [figure, _box(rng, spot, seat, turn)] if posture.seated else [figure]


def _both_sides() -> Iterator[tuple[str, str, float, int]]:
    for start, end, radius, cloth in _LIMBS:
        for side in ("left", "right") if start.startswith("_") else ("",):
            yield side + start, side + end, radius, cloth


def _clothes(rng: np.random.Generator) -> Atlas:
    skin, hair, shirt, trousers, shoes = (kind(rng) for kind in (palette.skin, palette.hair, *3 * (palette.thing,)))
    return Atlas((skin, hair, palette.EYES, shirt, trousers, shoes))


def _box(rng: np.random.Generator, spot: Float[ndarray, "2"], top: float, turn: Float[ndarray, "3 3"]) -> Solid:
    half = np.array([rng.uniform(0.16, 0.24), 0.17, top / 2], np.float32)
    center = np.append(spot, top / 2).astype(np.float32)
    return Solid("box", BOX, center, half, turn.astype(np.float32), palette.thing(rng))
