"""Random materials from a few pleasant colours that all classes share, so that no colour tells a class."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.material import Material
from src.data.scene.pattern import bricks, checker, dots, noise, plain, planks, stripes, tiles

_VIVID = ("b5483a", "d98c3f", "e3bf5a", "7f9a4d", "3f7f6b", "3b7ea1", "4a5f94", "8a5a8f", "c9788a", "8f5b3f")
_PALE = ("e8e1d3", "d9d3c7", "cfd8d6", "e6d6bf", "d5cfe0", "c8d3c0", "dfc9bd", "b8bec4")
_EARTHY = ("7c8f4e", "5f7d45", "a89468", "8b7a62", "8c8c88", "6d6a66", "b9a27c", "9a6b4b")

_SKINS = ("e6b896", "d19a73", "a9714b", "7a4a30", "4f3123")
_HAIRS = ("241c18", "4a3222", "7a5230", "b08a52", "8c8c88")

_ON_THINGS = (plain, plain, noise, checker, stripes, dots, bricks, planks, tiles)
_ON_FLOORS = (planks, planks, tiles, tiles, checker, noise, stripes, bricks)
_ON_WALLS = (plain, plain, noise, bricks, bricks, stripes, planks, tiles)
_ON_CEILINGS = (plain, plain, plain, tiles, planks)
_ON_GROUNDS = (noise, noise, noise, noise, bricks, tiles, checker, stripes)


def thing(rng: np.random.Generator) -> Material:
    """For an object: mostly vivid, sometimes the colours of its surroundings."""
    colors = _VIVID if rng.random() < 0.6 else _PALE + _EARTHY
    return _material(rng, colors, _ON_THINGS, contrast=0.6, scale=(0.1, 0.4), gloss=0.5)


def skin(rng: np.random.Generator) -> Material:
    """For what of a person is bare."""
    return _material(rng, _SKINS, (plain,), contrast=0.0, scale=(1.0, 1.0))


def hair(rng: np.random.Generator) -> Material:
    """For what grows on a head."""
    return _material(rng, _HAIRS, (plain, noise, stripes), contrast=0.0, scale=(0.03, 0.06))


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


EYES = Material(np.repeat(linear("16120f")[:, None], 2, axis=1), plain, scale=1.0)  # everybody's


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
    first = linear(_one(rng, codes)) * rng.uniform(0.8, 1.15, 3)
    second = linear(_one(rng, codes)) if rng.random() < contrast else first * _one(rng, (0.35, 0.5, 1.7))
    colors = np.clip(np.stack([first, second], axis=1), 0.01, 0.95).astype(np.float32)
    turn = 0.0 if upright else float(_one(rng, (0, np.pi / 2)) + rng.normal(0, 0.1))
    size, phase = float(rng.uniform(*scale)), float(rng.uniform(0, 200))
    return Material(colors, _one(rng, patterns), size, turn, phase, float(rng.uniform(0, gloss)))


def _one(rng: np.random.Generator, several: tuple[Any, ...]) -> Any:
    """As `rng.choice`, which would first make an array of them."""
    return several[rng.integers(len(several))]
