"""What people do: angles of their joints, within what a healthy body can (Kapandji, 1974)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

# Smallest and largest angle in degrees: the same for both sides, or for the one and the other.
_STANDING = {
    "hip": (-5, 12),
    "spread": (1, 12),
    "knee": (0, 12),
    "shoulder": (-15, 30),
    "lift": (5, 25),
    "turn": (-40, 10),
    "elbow": (5, 70),
    "lean": (-4, 8),
    "twist": (-60, 60),
    "nod": (-15, 20),
}
_WALKING = _STANDING | {
    "hip": ((12, 32), (-20, -8)),
    "spread": (0, 4),
    "knee": ((3, 20), (8, 45)),
    "shoulder": ((-35, -10), (10, 35)),
    "lift": (5, 12),
    "turn": (-15, 5),
    "twist": (-35, 35),
}
_SITTING = _STANDING | {
    "hip": (78, 100),
    "spread": (2, 18),
    "knee": (75, 105),
    "shoulder": (5, 50),
    "elbow": (20, 100),
    "lean": (-12, 20),
}
_LIFTING = _STANDING | {"shoulder": ((-10, 30), (70, 170)), "lift": ((60, 150), (5, 25)), "turn": (0, 85)}
_ALOFT = _STANDING | {"shoulder": (-10, 60), "lift": (70, 160), "turn": (20, 85), "elbow": (0, 110)}
_KINDS = (_STANDING, _WALKING, _SITTING, _LIFTING, _ALOFT)
_SHARES = (0.3, 0.25, 0.2, 0.15, 0.1)


@dataclass(frozen=True)
class Posture:
    """Angles in radians, those of limbs for left and right; all of them 0 is upright with hanging arms."""

    hip: Float[ndarray, "2"]  # forward, from the vertical
    spread: Float[ndarray, "2"]  # of the leg, sideways
    knee: Float[ndarray, "2"]  # bent backward
    shoulder: Float[ndarray, "2"]  # forward, from the trunk
    lift: Float[ndarray, "2"]  # of the arm, sideways
    turn: Float[ndarray, "2"]  # of the upper arm about itself, so that the bent forearm moves outward
    elbow: Float[ndarray, "2"]  # bent forward
    lean: float  # of the trunk, forward
    twist: float  # of the head, to the right
    nod: float  # of the head, downward
    seated: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Posture":
        """Somebody who stands, walks, sits, or lifts one arm or both."""
        kind = _KINDS[rng.choice(len(_KINDS), p=_SHARES)]
        ranges = np.radians([np.broadcast_to(angles, (2, 2)) for angles in kind.values()])  # [angle side end]
        ranges = ranges[:, ::-1] if rng.random() < 0.5 else ranges
        angles = dict(zip(kind, rng.uniform(ranges[..., 0], ranges[..., 1]), strict=True))
        single = {name: float(angles.pop(name)[0]) for name in ("lean", "twist", "nod")}
        return cls(**angles, **single, seated=kind is _SITTING)
