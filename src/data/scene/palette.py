"""Random materials from a few pleasant colours that all classes share, so that no colour tells a class."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.material import Material
from src.data.scene.pattern import bricks, checker, dots, noise, plain, planks, stripes, tiles

_VIVID = ("b5483a", "d98c3f", "e3bf5a", "7f9a4d", "3f7f6b", "3b7ea1", "4a5f94", "8a5a8f", "c9788a", "8f5b3f")
_PALE = ("e8e1d3", "d9d3c7", "cfd8d6", "e6d6bf", "d5cfe0", "c8d3c0", "dfc9bd", "b8bec4")
_EARTHY = ("7c8f4e", "5f7d45", "a89468", "8b7a62", "8c8c88", "6d6a66", "b9a27c", "9a6b4b")

_ON_THINGS = (plain, plain, noise, checker, stripes, dots, bricks, planks, tiles)
_ON_FLOORS = (planks, planks, tiles, tiles, checker, noise, stripes, bricks)
_ON_WALLS = (plain, plain, noise, bricks, bricks, stripes, planks, tiles)
_ON_CEILINGS = (plain, plain, plain, tiles, planks)
_ON_GROUNDS = (noise, noise, noise, noise, bricks, tiles, checker, stripes)


def thing(rng: np.random.Generator) -> Material:
    """For an object: mostly vivid, sometimes the colours of its surroundings."""
    colors = _VIVID if rng.random() < 0.6 else _PALE + _EARTHY
    return _material(rng, colors, _ON_THINGS, contrast=0.6, scale=(0.1, 0.4), gloss=0.5)


def floor(rng: np.random.Generator) -> Material:
    """For what one stands on in a room."""
    return _material(rng, _EARTHY + _PALE + _VIVID, _ON_FLOORS, contrast=0.35, scale=(0.4, 1.0), gloss=0.1)


def wall(rng: np.random.Generator) -> Material:
    """For the sides of a room."""
    return _material(rng, _PALE + _PALE + _VIVID, _ON_WALLS, contrast=0.25, scale=(0.3, 0.8), upright=True)


def ceiling(rng: np.random.Generator) -> Material:
    """For the top of a room."""
    return _material(rng, _PALE, _ON_CEILINGS, contrast=0.2, scale=(0.5, 1.0))


def ground(rng: np.random.Generator) -> Material:
    """For what one stands on in the open."""
    return _material(rng, _EARTHY, _ON_GROUNDS, contrast=0.35, scale=(0.8, 2.5))


def linear(code: str) -> Float32[ndarray, "3"]:
    """A colour in hexadecimal sRGB as linear RGB, by a gamma of 2 (its inverse is a square root)."""
    return (np.array(list(bytes.fromhex(code)), np.float32) / 255) ** 2


def _material(
    rng: np.random.Generator,
    codes: tuple[str, ...],
    patterns: tuple[Callable, ...],
    *,
    contrast: float,
    scale: tuple[float, float],
    gloss: float = 0.0,
    upright: bool = False,
) -> Material:
    first = linear(rng.choice(codes)) * rng.uniform(0.8, 1.15, 3)
    second = linear(rng.choice(codes)) if rng.random() < contrast else first * rng.choice((0.35, 0.5, 1.7))
    colors = np.clip(np.stack([first, second], axis=1), 0.01, 0.95).astype(np.float32)
    turn = 0.0 if upright else float(rng.choice((0, np.pi / 2)) + rng.normal(0, 0.1))
    size, phase = float(rng.uniform(*scale)), float(rng.uniform(0, 200))
    return Material(colors, patterns[rng.integers(len(patterns))], size, turn, phase, float(rng.uniform(0, gloss)))
