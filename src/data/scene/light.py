"""What lights a scene."""

from dataclasses import dataclass

from jaxtyping import Float32
from numpy import ndarray


@dataclass(frozen=True)
class Light:
    """One lamp, or the sun as a very distant lamp, and soft light from above and below."""

    position: Float32[ndarray, "3"]  # metres, world
    color: Float32[ndarray, "3"]  # linear RGB
    above: Float32[ndarray, "3"]  # ambient on what looks up, linear RGB
    below: Float32[ndarray, "3"]  # ambient on what looks down, linear RGB
