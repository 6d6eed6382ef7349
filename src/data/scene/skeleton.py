"""Where a posture puts the joints of a body."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from src.data.scene.posture import Posture

Point = Float[ndarray, "3"]

_THIGH, _SHANK = 0.245, 0.246  # all lengths are shares of the body's height
_UPPER_ARM, _FOREARM, _PALM, _FOOT, _SOLE = 0.186, 0.146, 0.055, 0.11, 0.017
_HIP, _SHOULDER = (0.052, 0, 0), (0.115, 0, 0.285)  # the right one's, from the middle of the hips
_CHEST, _RIB, _SKULL = (0, 0, 0.24), (0.05, 0, 0.225), (0, 0, 0.404)
_NOSE, _EYE, _EAR, _CROWN = (0, 0.066, -0.008), (0.024, 0.0565, 0.012), (0.062, -0.002, -0.006), (0, -0.012, 0.012)


def skeleton(posture: Posture) -> dict[str, Point]:
    """Joints by name, in heights of the body; its hips are at 0, it looks along y, up is z, and its right is x."""
    trunk = turned(0, -posture.lean)
    head = trunk @ turned(2, -posture.twist) @ turned(0, -posture.nod)
    skull = trunk @ _SKULL
    joints = {"pelvis": np.zeros(3), "chest": trunk @ _CHEST, "skull": skull}
    joints |= {"nose": skull + head @ _NOSE, "crown": skull + head @ _CROWN}
    for number, (side, sign) in enumerate((("left", -1), ("right", 1))):
        mirror = np.array([sign, 1.0, 1.0])
        joints |= {f"{side}_eye": skull + head @ (mirror * _EYE), f"{side}_ear": skull + head @ (mirror * _EAR)}
        joints |= {f"{side}_rib": trunk @ (mirror * _RIB)}
        joints |= _leg(posture, number, side, mirror) | _arm(posture, number, side, mirror, trunk)
    return joints


def turned(axis: int, angle: float) -> Float[ndarray, "3 3"]:
    """The matrix that turns by `angle`, from the next axis towards the one after it."""
    cosine, sine = np.cos(angle), np.sin(angle)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[a, b], [a, b]], matrix[b, a], matrix[a, b] = cosine, sine, -sine
    return matrix


def _leg(posture: Posture, number: int, side: str, mirror: Point) -> dict[str, Point]:
    along, ahead = _directions(posture.hip[number], posture.spread[number], mirror)
    bend = posture.knee[number]
    shank, foot = np.cos(bend) * along - np.sin(bend) * ahead, np.cos(bend) * ahead + np.sin(bend) * along
    hip = mirror * _HIP
    knee = hip + _THIGH * along
    ankle = knee + _SHANK * shank
    heel = ankle + _SOLE * shank
    points = {"hip": hip, "knee": knee, "ankle": ankle, "heel": heel, "toe": heel + _FOOT * foot}
    return {f"{side}_{name}": point for name, point in points.items()}


def _arm(posture: Posture, number: int, side: str, mirror: Point, trunk: Float[ndarray, "3 3"]) -> dict[str, Point]:
    along, ahead = _directions(posture.shoulder[number], posture.lift[number], mirror)
    turn, bend = posture.turn[number], posture.elbow[number]
    fold = np.cos(turn) * ahead + mirror[0] * np.sin(turn) * np.cross(along, ahead)
    forearm = np.cos(bend) * along + np.sin(bend) * fold
    shoulder = mirror * _SHOULDER
    elbow = shoulder + _UPPER_ARM * along
    wrist = elbow + _FOREARM * forearm
    points = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hand": wrist + _PALM * forearm}
    return {f"{side}_{name}": trunk @ point for name, point in points.items()}


def _directions(forward: float, outward: float, mirror: Point) -> tuple[Point, Point]:
    """Along a limb that hung down and was swung forward, then outward, and what was ahead of it."""
    swing = turned(1, -mirror[0] * outward) @ turned(0, forward)
    return swing @ [0, 0, -1], swing @ [0, 1, 0]
