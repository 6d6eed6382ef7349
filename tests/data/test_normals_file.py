from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.normals_file import normals

VECTORS = np.array([[[0, 0, -1], [0.6, 0, -0.8]], [[0, -1, 0], [0, 0, 0]]], np.float32)


def painted(folder: Path, vectors: np.ndarray = VECTORS) -> Path:
    colors = np.round((vectors + 1) / 2 * 255).astype(np.uint8)
    colors[~vectors.any(2)] = 0
    Image.fromarray(colors).save(folder / "n.png")
    return folder / "n.png"


def test_colours_are_unit_vectors_and_black_is_unknown(tmp_path):
    found = normals(painted(tmp_path))
    assert found.shape == (3, 2, 2)
    np.testing.assert_allclose(found.permute(1, 2, 0), VECTORS, atol=0.005)
    np.testing.assert_allclose(found.norm(dim=0), [[1, 1], [1, 0]], atol=1e-6)


def test_mid_grey_is_unknown_too(tmp_path):
    colors = np.asarray(Image.open(painted(tmp_path))).copy()
    colors[0, 0] = (128, 127, 128)
    Image.fromarray(colors).save(tmp_path / "n.png")
    assert (normals(tmp_path / "n.png")[:, 0, 0] == 0).all()


def test_floats_are_taken_as_they_are(tmp_path):
    np.save(tmp_path / "n.npy", VECTORS)
    np.testing.assert_allclose(normals(tmp_path / "n.npy").permute(1, 2, 0), VECTORS, atol=1e-6)


def test_other_axes_are_told_and_can_be_said(tmp_path):
    path = painted(tmp_path, VECTORS * np.float32([1, -1, -1]))
    with pytest.raises(ValueError, match=r"n\.png: 67% of its normals look away.*data\.normals_signs=\[1,-1,-1\]"):
        normals(path)
    np.testing.assert_allclose(normals(path, (1, -1, -1)).permute(1, 2, 0), VECTORS, atol=0.005)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (VECTORS * 0, "knows no normal anywhere"),
        (VECTORS * 0.7, "100% of its vectors are not of length 1, 0.70 on average"),
        (VECTORS[..., :2], "has 2 channels: a normal map has 3"),
        (np.where(VECTORS == 0.6, np.float32(np.nan), VECTORS), r"at \(x=1, y=0\): save \(0, 0, 0\)"),
    ],
)
def test_what_is_no_normal_map_is_said(tmp_path, vectors, said):
    np.save(tmp_path / "n.npy", vectors)
    with pytest.raises(ValueError, match=rf"n\.npy:? ?.*{said}"):
        normals(tmp_path / "n.npy")
