"""What is seen where nothing stands."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.pattern import noise
from src.data.scene.vector import length


@dataclass(frozen=True)
class Sky:
    """A colour that changes from horizon to zenith, with clouds."""

    horizon: Float32[ndarray, "3"]  # linear RGB
    zenith: Float32[ndarray, "3"]  # linear RGB
    clouds: float  # share of the sky in [0, 1]
    phase: float  # where in the noise the clouds are

    def color(self, direction: Float32[ndarray, "3 n"]) -> Float32[ndarray, "3 n"]:
        """Linear RGB in world directions of any length."""
        up = np.clip(direction[2] / length(direction), 0, 1)
        clear = self.horizon[:, None] + (self.zenith - self.horizon)[:, None] * np.sqrt(up)
        flat = direction[:2] / (2 * np.maximum(direction[2] + np.float32(0.15), np.float32(0.1)))
        cover = noise(flat + np.float32(self.phase))
        cover = np.clip(4 * (cover - 1 + self.clouds) * np.minimum(1, 6 * up), 0, 1)
        return clear + (np.float32(0.95) - clear) * cover
