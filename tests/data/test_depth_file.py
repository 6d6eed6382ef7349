from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.depth_file import depth

METRES = np.array([[0.0, 1.5, 2.25], [3.0, 0.5, 0.0]], np.float32)


def saved(folder: Path, suffix: str, metres: np.ndarray = METRES) -> Path:
    path = folder / f"d{suffix}"
    if suffix == ".png":
        Image.fromarray((metres * 1000).astype(np.uint16)).save(path)
    elif suffix == ".tiff":
        Image.fromarray(metres).save(path)
    elif suffix == ".npy":
        np.save(path, metres)
    elif suffix == ".pfm":
        path.write_bytes(b"Pf\n3 2\n-1.0\n" + metres[::-1].astype("<f4").tobytes())
    else:
        openexr = pytest.importorskip("OpenEXR", reason="EXR is read by OpenEXR alone")
        header = {"compression": openexr.ZIP_COMPRESSION, "type": openexr.scanlineimage}
        openexr.File(header, {"Z": metres}).write(str(path))
    return path


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".npy", ".pfm", ".exr"])
def test_every_format_is_in_metres(tmp_path, suffix):
    found = depth(saved(tmp_path, suffix), scale=1000)
    assert found.shape == (1, 2, 3)
    np.testing.assert_allclose(found[0], METRES, rtol=1e-6)


def test_exr_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "OpenEXR", None)
    (tmp_path / "d.exr").write_bytes(b"v/1\x01")
    with pytest.raises(ValueError, match=r"d\.exr cannot be read: EXR needs `pip install OpenEXR`; or save"):
        depth(tmp_path / "d.exr", scale=1000)


def test_big_endian_pfm(tmp_path):
    path = tmp_path / "d.pfm"
    path.write_bytes(b"Pf\n3 2\n1.0\n" + METRES[::-1].astype(">f4").tobytes())
    np.testing.assert_array_equal(depth(path, scale=1)[0], METRES)


def test_eight_bits_are_refused_unless_their_steps_are_known(tmp_path):
    Image.fromarray(np.array([[0, 1, 254]], np.uint8)).save(tmp_path / "d.png")
    with pytest.raises(ValueError, match=r"d\.png holds 8 bits, 0 to 254.*16-bit PNG \(data\.depth_scale"):
        depth(tmp_path / "d.png", scale=1000)
    np.testing.assert_allclose(depth(tmp_path / "d.png", 1000, 25.5)[0], [[0, 1.5 / 25.5, 254.5 / 25.5]], rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("suffix", [".npy", ".pfm"])
def test_what_is_no_depth_is_named_with_its_place(tmp_path, suffix, value):
    metres = METRES.copy()
    metres[1, 2] = metres[1, 0] = value
    with pytest.raises(ValueError, match=rf"d\{suffix} holds the depth {value} at \(x=0, y=1\), one of 2 .*save 0"):
        depth(saved(tmp_path, suffix, metres), scale=1)


def test_a_map_that_knows_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"d\.png is 0 everywhere, which is unknown: leave out"):
        depth(saved(tmp_path, ".png", METRES * 0), scale=1000)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"PF\n3 2\n-1\n", "begins with b'PF'"), (b"Pf\n3 2\n-1\n12", "damaged|buffer"), (b"", "0 bytes")],
)
def test_a_damaged_pfm_is_named(tmp_path, content, said):
    (tmp_path / "d.pfm").write_bytes(content)
    with pytest.raises(ValueError, match=rf"d\.pfm cannot be read: .*({said})"):
        depth(tmp_path / "d.pfm", scale=1)
