"""What a surface looks like before light falls on it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray

from src.data.scene.pattern import PATTERNS
from src.data.scene.vector import times


@dataclass(frozen=True)
class Material:
    """Two colours in a pattern, and a shine."""

    colors: Float32[ndarray, "3 2"]  # linear RGB in [0, 1]
    pattern: Callable[[Float32[ndarray, "2 n"]], Float32[ndarray, " n"]]
    scale: float  # metres of one pattern
    turn: float = 0.0  # radians, of the pattern on the surface
    phase: float = 0.0  # patterns, along both directions
    gloss: float = 0.0  # weight of the highlight

    def albedo(self, uv: Float32[ndarray, "2 n"], footprint: Float32[ndarray, " n"]) -> Float32[ndarray, "3 n"]:
        """Linear RGB at texture coordinates in metres; finer detail than the `footprint` of a pixel is averaged."""
        cosine, sine = np.cos(self.turn) / self.scale, np.sin(self.turn) / self.scale
        turn = np.array([[cosine, sine], [-sine, cosine]], np.float32)
        blend = self.pattern(times(turn, uv) + np.float32(self.phase))
        detail = np.clip(2 - 5 * footprint / self.scale, 0, 1)
        average = _average(self.pattern)
        blend = average + (blend - average) * detail
        return self.colors[:, :1] + (self.colors[:, 1:] - self.colors[:, :1]) * blend

    def kind(self, uv: Float32[ndarray, "2 n"]) -> Int[ndarray, " n"]:
        """Which of `PATTERNS` there is at texture coordinates."""
        return np.full(uv.shape[1], PATTERNS.index(self.pattern))


@cache
def _average(pattern: Callable[[ndarray], ndarray]) -> np.float32:
    """The blend of a pattern that is too far away to be seen."""
    return pattern(np.indices((250, 250), np.float32).reshape(2, -1) * np.float32(0.13)).mean()
