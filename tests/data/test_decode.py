import importlib.util
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageOps

from src.data import decode

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (40, 60, 4), dtype=np.uint16)


def saved(path: Path, array: np.ndarray, **options) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def tiff(path: Path, array: np.ndarray, **options) -> Path:
    tifffile.imwrite(path, array, **options)
    return path


def channels_last(image: torch.Tensor) -> np.ndarray:
    return image.numpy().transpose(1, 2, 0)


def png16(path: Path, array: np.ndarray) -> Path:
    """A 16-bit color PNG, written by hand, for Pillow cannot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = array.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def test_grey_16_bit_keeps_every_value(tmp_path: Path) -> None:
    ramp = np.arange(2400, dtype=np.uint16).reshape(40, 60) * 27
    for path in (saved(tmp_path / "a.png", ramp), saved(tmp_path / "a.tif", ramp)):
        image = decode.image(path)
        assert image.dtype == torch.uint16
        assert len(np.unique(image.numpy())) == 2400
        np.testing.assert_array_equal(image[0].numpy(), ramp)


@pytest.mark.parametrize("channels", [3, 4])
def test_color_16_bit_png(tmp_path: Path, channels: int) -> None:
    array = DEEP[..., :channels]
    image = decode.image(png16(tmp_path / "a.png", array), channels=channels)
    np.testing.assert_array_equal(channels_last(image), array)


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "rgb"},
        {"photometric": "rgb", "byteorder": ">"},
        {"photometric": "rgb", "compression": "zlib", "predictor": True},
        {"photometric": "minisblack", "planarconfig": "contig"},
    ],
)
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiff_of_many_kinds(tmp_path: Path, options: dict, channels: int, dtype: type) -> None:
    array = DEEP[..., :channels].astype(dtype)
    options = options | {"predictor": dtype != np.float32} if "predictor" in options else options
    extra = {"extrasamples": ["unspecified"]} if channels == 4 and options["photometric"] == "rgb" else {}
    image = decode.image(tiff(tmp_path / "a.tif", array, **options, **extra))
    np.testing.assert_array_equal(channels_last(image), array)


def test_compression_that_needs_a_package_says_which(tmp_path: Path) -> None:
    if importlib.util.find_spec("imagecodecs"):
        pytest.skip("imagecodecs is installed")
    path = tmp_path / "a.tif"
    saved(path, RGB, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    place = data.index(bytes([0x15, 1, 3, 0, 1, 0, 0, 0])) + 8  # samples per pixel, which Pillow then has no mode for
    data[place] = 5
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.tif cannot be read: .*`pip install imagecodecs`"):
        decode.image(path)


def test_planar_tiff(tmp_path: Path) -> None:
    array = np.ascontiguousarray(DEEP.transpose(2, 0, 1))
    path = tiff(tmp_path / "a.tif", array, photometric="minisblack", planarconfig="separate")
    np.testing.assert_array_equal(decode.image(path).numpy(), array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_npy_of_five_channels(tmp_path: Path, dtype: type) -> None:
    array = RNG.integers(0, 200, (6, 7, 5)).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    image = decode.image(tmp_path / "a.npy")
    assert image.numpy().dtype == dtype
    np.testing.assert_array_equal(channels_last(image), array)
    assert decode.size(tmp_path / "a.npy") == (6, 7)


def test_npy_is_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a\.npy cannot be read"):
        decode.image(tmp_path / "a.npy")


@pytest.mark.parametrize(("mode", "shape"), [("CMYK", 3), ("L", 1), ("RGB", 3)])
def test_jpeg_of_each_mode(tmp_path: Path, mode: str, shape: int) -> None:
    Image.fromarray(RGB).convert(mode).save(tmp_path / "a.jpg")
    assert decode.image(tmp_path / "a.jpg").shape == (shape, 9, 14)


def test_cmyk_becomes_the_color_it_shows(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 3), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    assert decode.image(tmp_path / "a.tif")[:, 0, 0].tolist() == [255, 0, 0]


def test_palette_gives_colors_to_images_and_indices_to_masks(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1], [2, 255]], np.uint8), mode="P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90] + [0] * (252 * 3) + [224, 224, 192])
    picture.save(tmp_path / "a.png")
    assert decode.image(tmp_path / "a.png")[:, 0, 1].tolist() == [40, 50, 60]
    assert decode.labels(tmp_path / "a.png").tolist() == [[0, 1], [2, 255]]
    assert decode.labels(tmp_path / "a.png", colored=True)[1, 1].tolist() == [224, 224, 192]


def test_one_bit_is_black_and_white_or_0_and_1(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[True, False]]))
    assert decode.image(path).tolist() == [[[255, 0]]]
    assert decode.labels(path).tolist() == [[1, 0]]


def test_transparency_is_laid_over_black_or_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]], np.uint8))
    assert channels_last(decode.image(path)).tolist() == [[[200, 100, 50], [0, 0, 0], [40, 20, 10]]]
    assert decode.image(path, channels=4)[:, 0, 1].tolist() == [200, 100, 50, 0]


def test_transparency_of_grey_and_of_a_palette(tmp_path: Path) -> None:
    path = saved(tmp_path / "la.png", np.array([[[200, 255], [200, 0]]], np.uint8))
    assert decode.image(path).tolist() == [[[200, 0]]]
    assert decode.image(path, channels=2).shape == (2, 1, 2)
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.save(tmp_path / "p.png", transparency=1)
    assert channels_last(decode.image(tmp_path / "p.png")).tolist() == [[[10, 20, 30], [0, 0, 0]]]


def test_grey_fits_color_and_back_without_loss_only(tmp_path: Path) -> None:
    grey = saved(tmp_path / "grey.png", RGB[..., 0])
    assert (decode.image(grey, channels=3) == decode.image(grey)).all()
    same = saved(tmp_path / "same.png", np.repeat(RGB[..., :1], 3, 2))
    assert decode.image(same, channels=1).shape == (1, 9, 14)
    with pytest.raises(ValueError, match=r"color\.png cannot be read: it has 3 channels, where 1 were asked"):
        decode.image(saved(tmp_path / "color.png", RGB), channels=1)


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "deep.tif"])
def test_orientation_is_followed_as_pillow_does(tmp_path: Path, suffix: str, tag: int) -> None:
    path, exif = tmp_path / f"a.{suffix}", Image.Exif()
    exif[0x0112] = tag
    if suffix == "deep.tif":
        tiff(path, RGB.astype(np.float32), photometric="rgb", extratags=[(274, 3, 1, tag, True)])
    else:
        saved(path, RGB, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    picture = Image.fromarray(RGB)
    picture.getexif()[0x0112] = tag
    expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(channels_last(decode.image(path)), expected)
    assert decode.size(path) == expected.shape[:2]
    assert decode.opened(path).stored == (9, 14)


def test_name_does_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", RGB, format="PNG")
    np.testing.assert_array_equal(channels_last(decode.image(path)), RGB)


def test_pages_of_a_volume(tmp_path: Path) -> None:
    volume = RNG.integers(0, 256, (3, 5, 6), dtype=np.uint8)
    path = tiff(tmp_path / "a.tif", volume, photometric="minisblack")
    assert decode.pages(path) == 3
    np.testing.assert_array_equal(decode.image(path, page=2)[0].numpy(), volume[2])
    with pytest.raises(ValueError, match="there is no page 3"):
        decode.image(path, page=3)
    with pytest.raises(ValueError, match="holds 3 pictures"):
        decode.image(path)


def test_animation_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"a\.gif cannot be read: it holds 2 pictures \(GIF\)"):
        decode.image(tmp_path / "a.gif")


def test_a_png_whose_check_sum_is_wrong_is_refused(tmp_path: Path) -> None:
    path = png16(tmp_path / "a.png", DEEP[..., :3])
    data = bytearray(path.read_bytes())
    data[-16] ^= 1  # the check sum of the pixels stands before the 12 bytes of the end
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.png cannot be read: .*damaged"):
        decode.image(path)


def read_or_named(path: Path) -> torch.Tensor | None:
    try:
        return decode.image(path, max_pixels=10_000)
    except ValueError as error:
        if str(path) not in str(error):
            raise AssertionError(f"{path} is not named") from error
        return None


def broken(folder: Path) -> list[tuple[Path, str]]:
    png = saved(folder / "whole.png", RGB).read_bytes()
    jpg = saved(folder / "whole.jpg", RGB).read_bytes()
    (folder / "empty.png").write_bytes(b"")
    (folder / "page.png").write_bytes(b"<!DOCTYPE html><html>not found</html>")
    (folder / "folder.png").mkdir()
    (folder / "cut.png").write_bytes(png[: len(png) // 2])
    (folder / "cut.jpg").write_bytes(jpg[: len(jpg) // 2])
    saved(folder / "whole.tif", RGB)
    (folder / "cut.tif").write_bytes((folder / "whole.tif").read_bytes()[:200])
    (folder / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00")
    return [
        (folder / "empty.png", "it is empty"),
        (folder / "page.png", "begins with b'<!DOCTYPE html"),
        (folder / "folder.png", "it is a folder"),
        (folder / "absent.png", "there is no such file"),
        *((folder / f"cut.{suffix}", "") for suffix in ("png", "jpg", "tif", "npy")),
    ]


def test_broken_files_are_named_with_the_reason(tmp_path: Path) -> None:
    for path, reason in broken(tmp_path):
        with pytest.raises(ValueError, match=rf"{path.name} cannot be read: .*{reason}"):
            decode.image(path)


def test_no_flipped_bit_of_a_png_goes_unnoticed(tmp_path: Path) -> None:
    data = bytearray(saved(tmp_path / "a.png", RGB).read_bytes())
    for bit in range(0, 8 * len(data), 23):
        data[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.png").write_bytes(data)
        image = read_or_named(tmp_path / "a.png")
        if image is not None:
            np.testing.assert_array_equal(channels_last(image), RGB)
        data[bit // 8] ^= 1 << bit % 8


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what it found odd in a header
@pytest.mark.parametrize("suffix", ["jpg", "tif", "webp", "gif", "bmp", "npy"])
def test_mutated_files_are_read_or_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    np.save(path, RGB) if suffix == "npy" else saved(path, RGB)
    whole = path.read_bytes()
    for _ in range(100):
        data = bytearray(whole)
        for place in RNG.integers(0, len(data), 3):
            data[place] = RNG.integers(0, 256)
        path.write_bytes(data[: RNG.integers(1, len(data) + 1)])
        read_or_named(path)


def test_large_pictures_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("1", (20_000, 20_000)).save(path)
    assert decode.size(path) == (20_000, 20_000)  # more than Pillow's own limit
    with pytest.raises(ValueError, match=r"it is 20000x20000, more than 1000 pixels: say max_pixels=400000000"):
        decode.image(path, max_pixels=1000)


def test_pillows_own_limit_is_left_as_it_was(tmp_path: Path) -> None:
    decode.image(saved(tmp_path / "a.png", RGB))
    assert Image.MAX_IMAGE_PIXELS is not None


def test_values_that_nothing_here_holds(tmp_path: Path) -> None:
    np.save(tmp_path / "nan.npy", np.array([[0.5, np.nan]], np.float32))
    with pytest.raises(ValueError, match="1 of its values are NaN"):
        decode.image(tmp_path / "nan.npy")
    np.save(tmp_path / "negative.npy", np.array([[-3, 5]], np.int16))
    with pytest.raises(ValueError, match=r"1 of its values are not within 0\.\.65535, the first, -3, at \(x=0, y=0\)"):
        decode.image(tmp_path / "negative.npy")
    np.save(tmp_path / "complex.npy", np.array([[1j]]))
    with pytest.raises(ValueError, match="complex128 are no picture"):
        decode.image(tmp_path / "complex.npy")


def test_pgm_of_few_values_is_not_rescaled(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 10\n\x00\x0a")
    with pytest.raises(ValueError, match="rescale a PPM whose values end at 10"):
        decode.labels(tmp_path / "a.pgm")


def test_masks_are_integers_of_one_channel(tmp_path: Path) -> None:
    ids = np.array([[0, 7], [300, 65535]], np.uint16)
    np.testing.assert_array_equal(decode.labels(saved(tmp_path / "ids.png", ids)), ids)
    same = saved(tmp_path / "same.png", np.repeat(RGB[..., :1], 3, 2))
    np.testing.assert_array_equal(decode.labels(same), RGB[..., 0])
    with pytest.raises(ValueError, match="say which color is which class"):
        decode.labels(saved(tmp_path / "color.png", RGB))
    with pytest.raises(ValueError, match="partly transparent"):
        decode.labels(saved(tmp_path / "clear.png", np.zeros((2, 2, 4), np.uint8)))
    with pytest.raises(ValueError, match="this file floats"):
        decode.labels(tiff(tmp_path / "float.tif", np.zeros((4, 4), np.float32)))


def test_mask_follows_its_own_tag(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode.labels(saved(tmp_path / "a.png", RGB[..., 0], exif=exif)).shape == (14, 9)
