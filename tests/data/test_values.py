import time
from pathlib import Path

import numpy as np
import pytest

from src.data.values import Values

RNG = np.random.default_rng(0)
HERE = Path("masks/a.png")
COLORS = {(0, 0, 0): 0, (128, 64, 0): 1, (0, 64, 128): 2, (255, 255, 255): 255}


def test_declared_values_become_classes() -> None:
    mask = Values({0: 1, 300: 0, 65535: 255})(np.array([[0, 300, 65535]], np.uint16), HERE)
    assert mask.tolist() == [[1, 0, 255]]


def test_colors_become_classes() -> None:
    index = RNG.integers(0, 4, (5, 6))
    mask = Values(COLORS)(np.array(list(COLORS), np.uint8)[index], HERE)
    np.testing.assert_array_equal(mask.numpy(), np.array(list(COLORS.values()))[index])


def test_undeclared_value_is_named_with_count_and_place() -> None:
    labels = np.array([[0, 1, 0], [7, 1, 7]], np.uint8)
    with pytest.raises(
        ValueError, match=r"masks/a\.png .*: 7 in 2 pixels; the first, 7, at \(x=0, y=1\)\. Declared: 0, 1\."
    ):
        Values({0: 0, 1: 1})(labels, HERE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_gap_among_the_declared_values_is_undeclared(dtype: type) -> None:
    with pytest.raises(ValueError, match="1 in 1 pixels"):
        Values({0: 0, 2: 1})(np.array([[0, 1, 2]], dtype), HERE)


def test_undeclared_color_is_named() -> None:
    with pytest.raises(ValueError, match=r"\(0, 64, 129\) in 1 pixels; .* at \(x=1, y=0\)"):
        Values(COLORS)(np.array([[[0, 0, 0], [0, 64, 129]]], np.uint8), HERE)


def test_hints() -> None:
    with pytest.raises(ValueError, match=r"data\.values=binary \(255 -> 1\), if it is unknown data\.void=255"):
        Values({0: 0, 1: 1})(np.array([[0, 255]], np.uint8), HERE)
    with pytest.raises(ValueError, match=r"Declared: 0, 1, 2\. If 255 is unknown say data\.void=255"):
        Values({0: 0, 1: 1, 2: 2})(np.array([[0, 255]], np.uint8), HERE)
    with pytest.raises(ValueError, match=r"and 90 more.* saved as JPEG"):
        Values({0: 0, 1: 1})(np.arange(100, dtype=np.uint8)[None], HERE)


def test_what_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="all file values or all colors"):
        Values({0: 0, (1, 2, 3): 1})
    with pytest.raises(ValueError, match="values are 0 to 65535"):
        Values({-1: 0})
    with pytest.raises(ValueError, match="holds 16-bit colors"):
        Values(COLORS)(np.zeros((1, 1, 3), np.uint16), HERE)


def test_colors_take_a_small_part_of_the_loop_over_them() -> None:
    colors = np.unique(RNG.integers(0, 256, (21, 3), dtype=np.uint8), axis=0)
    picture = colors[np.kron(RNG.integers(0, len(colors), (36, 48)), np.ones((10, 10), int))]
    values = Values({tuple(color.tolist()): index for index, color in enumerate(colors)})

    def looped() -> np.ndarray:
        found = np.zeros(picture.shape[:2], np.uint8)
        for index, color in enumerate(colors):
            found[(picture == color).all(-1)] = index
        return found

    np.testing.assert_array_equal(values(picture, HERE).numpy(), looped())
    assert _seconds(lambda: values(picture, HERE)) < 0.1 * _seconds(looped)  # 0.0075 on a quiet machine


def _seconds(function) -> float:
    times = []
    for _ in range(5):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)
