"""Image and mask files of every bad kind, met by the doctor and at the start of a training."""

import json
import re
import struct
import warnings
import zlib
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from src.data import decode
from src.data.datamodule import DataModule
from src.data.folder import Folder
from src.doctor import doctor
from src.run import cli
from src.run.build import plain
from src.run.check import check

RNG = np.random.default_rng(7)
SIZE = (12, 16)
RGB = RNG.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (*SIZE, 3), dtype=np.uint16)
MASK = RNG.integers(0, 3, SIZE, dtype=np.uint8)
FRAMES = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
WORDS = ("data=folder", "data.classes=3", "data.val_fraction=0.3", "data.lists=splits", "data.size=[12,16]")


def png(array: np.ndarray) -> bytes:
    """A colour PNG of 8 or 16 bits, written by hand: Pillow cannot write the deep ones."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = array.shape
    rows = b"".join(b"\0" + row.astype(array.dtype.newbyteorder(">")).tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 8 * array.itemsize, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def jpeg(folder: Path) -> bytes:
    Image.fromarray(RGB).save(folder / ".whole.jpg")
    return (folder / ".whole.jpg").read_bytes()


def images(folder: Path) -> dict[str, str | None]:
    """Images of every kind in `folder/images`: file -> what is said of it, None where it is to be read."""
    place = folder / "images"
    (place / "zero.png").touch()
    (place / "page.png").write_bytes(b"<!DOCTYPE html><html>404</html>")
    (place / "place.png").mkdir()
    (place / "cut.png").write_bytes(png(RGB)[:200])
    (place / "half.jpg").write_bytes(jpeg(place)[:-200])
    (place / "bit.png").write_bytes(flipped(png(RGB), 8 * 100))
    (place / "deep.png").write_bytes(png(DEEP))
    Image.fromarray(DEEP[..., 0]).save(place / "deepgrey.png")
    tifffile.imwrite(place / "float.tif", RGB.astype(np.float32), photometric="rgb")
    FRAMES[0].save(place / "moving.gif", save_all=True, append_images=FRAMES[1:])
    Image.fromarray(RGB).convert("CMYK").save(place / "cmyk.tif")
    Image.fromarray(RGB).convert("LA").save(place / "la.png")
    Image.fromarray(RGB).convert("RGBA").save(place / "rgba.png")
    Image.fromarray(RGB).convert("P").save(place / "palette.png")
    Image.fromarray(RGB).convert("P").save(place / "clear.png", transparency=3)
    Image.fromarray(RGB).convert("1").save(place / "bits.png")
    Image.fromarray(RGB[..., 0]).save(place / "grey.png")
    (place / "named.jpg").write_bytes(png(RGB))
    return {
        "zero.png": "it is empty",
        "page.png": "begins with b'<!DOCTYPE",
        "place.png": "it is a folder",
        "cut.png": "damaged, or not completely copied",
        "half.jpg": "damaged, or not completely copied",
        "bit.png": "damaged, or not completely copied",
        "deep.png": "holds uint16, ",
        "deepgrey.png": "holds uint16, ",
        "float.tif": "holds float32, ",
        "moving.gif": r"holds 2 pictures \(GIF\)",
        **dict.fromkeys(("cmyk.tif", "la.png", "rgba.png", "palette.png", "clear.png", "bits.png", "grey.png")),
        "named.jpg": None,
    }


def masks(folder: Path) -> dict[str, str | None]:
    """Masks of every kind, each with a good image."""
    place = folder / "masks"
    beyond, ids, negative = MASK.copy(), MASK.astype(np.uint16), MASK.astype(np.int16)
    beyond[3, 5], ids[2, 1], negative[0, 4] = 7, 1000, -1
    Image.fromarray(beyond).save(place / "beyond.png")
    Image.fromarray(ids).save(place / "ids.png")
    np.save(place / "negative.npy", negative)
    Image.fromarray(np.uint8(255) * (MASK > 0)).save(place / "binary.png")
    Image.fromarray(MASK * 100).save(place / "lossy.jpg")
    Image.fromarray(RGB).save(place / "colored.png")
    Image.fromarray(MASK[:-1]).save(place / "short.png")
    Image.fromarray(MASK.T).save(place / "turned.png")
    palette = Image.fromarray(MASK)
    palette.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    palette.save(place / "indexed.png")
    for path in place.glob("*"):
        Image.fromarray(RGB).save(folder / f"images/{path.stem}.png")
    return {
        "beyond.png": r"7 in 1 pixels; the first, 7, at \(x=5, y=3\)",
        "ids.png": r"1000 in 1 pixels; the first, 1000, at \(x=1, y=2\)",
        "negative.npy": r"the first, -1, at \(x=4, y=0\)",
        "binary.png": r"255 in \d+ pixels.*If 255 is unknown say data\.void=255",
        "lossy.jpg": "saved as JPEG holds values that nobody drew",
        "colored.png": r"say which color is which class \(data\.colors\)",
        "short.png": r"images/short\.png is 12x16 .*short\.png is 11x16",
        "turned.png": r"images/turned\.png is 12x16 .*turned\.png is 16x12: one of them is transposed",
        "indexed.png": None,
    }


def made(folder: Path, good: int = 8) -> dict[str, str | None]:
    """A dataset with one sample of every kind in train; what is said of each file."""
    for part in ("images", "masks", "splits"):
        (folder / part).mkdir(parents=True)
    expected = masks(folder) | images(folder)
    for name in [Path(file).stem for file in expected] + [f"good{index}" for index in range(good)]:
        if not list((folder / "images").glob(f"{name}.*")):
            Image.fromarray(RGB).save(folder / f"images/{name}.jpg")
        if not list((folder / "masks").glob(f"{name}.*")):
            Image.fromarray(MASK).save(folder / f"masks/{name}.png")
    names = sorted(path.stem for path in (folder / "masks").iterdir())
    held = [f"good{index}" for index in range(good // 2)]
    (folder / "splits/train.txt").write_text("\n".join(name for name in names if name not in held))
    (folder / "splits/val.txt").write_text("\n".join(held))
    return expected


def examined(root: Path, *words: str, workers: int = 0) -> dict:
    """What the doctor writes of a dataset, whether it is content or not."""
    output = root.parent / "found.json"
    config = cli.compose("doctor", [*WORDS, *words, f"data.root={root}", f"data.workers={workers}", f"output={output}"])
    with suppress(ValueError):
        doctor(config)
        assert json.loads(output.read_text())["faults"] == []  # it is content only where there are none
    return json.loads(output.read_text())


@pytest.mark.parametrize("workers", [0, 2])
def test_the_doctor_lists_every_fault_in_one_pass(tmp_path, workers, tally):
    expected = made(tmp_path / "data")
    Image.fromarray(MASK).save(tmp_path / "data/masks/extra.png")
    Image.fromarray(RGB).save(tmp_path / "data/images/alone.png")
    Image.fromarray(RGB).save(tmp_path / "data/images/good5.png")  # beside good5.jpg
    reasons = [fault["reason"] for fault in examined(tmp_path / "data", workers=workers)["faults"]]
    wrong = {file: said for file, said in expected.items() if said}
    wrong |= {"extra.png": "without an image", "alone.png": "without a mask", "good5.jpg": "same name"}
    wrong["good5.png"] = "same name"
    missed = [
        file
        for file, said in wrong.items()
        if not any(f"/{file}" in reason and re.search(said, reason) for reason in reasons)
    ]
    tally("bad files, doctor", tried=len(wrong), failed=len(missed))
    assert not missed
    assert len(reasons) == len(wrong)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", ["none", "memory", "disk"])
def test_a_training_stops_or_leaves_out_so_many_as_it_may(tmp_path, cache, workers):
    expected = made(tmp_path / "data")
    bad = sorted(Path(file).stem for file, said in expected.items() if said)
    options = {"root": tmp_path / "data", "classes": 3, "lists": "splits", "cache": cache, "workers": workers}
    options |= {"cache_folder": str(tmp_path / "cache"), "size": SIZE, "batch_size": 2}
    for skip in (0, len(bad) - 1):
        with pytest.raises(ValueError, match=rf"(?s){len(bad)} of \d+ samples cannot be used.*data\.skip={len(bad)}"):
            DataModule(Folder, skip=skip, **options).check("train")
    for _ in range(2):  # and once more with what was kept
        data = DataModule(Folder, skip=len(bad), **options)
        data.check("train", "val")
        assert len(data.skipped) == len(bad)
        seen = [name for batch in data.train_dataloader() for name in batch.name]
        assert not set(seen) & set(bad)
        assert len(seen) == len(set(seen)) == (len(expected) + 4 - len(bad)) // 2 * 2
        assert {batch.image.shape for batch in data.train_dataloader()} == {(2, 3, *SIZE)}
        assert {batch.image.dtype for batch in data.train_dataloader()} == {torch.uint8}


def test_a_validation_sample_is_never_left_out(tmp_path):
    made(tmp_path / "data")
    (tmp_path / "data/images/good0.jpg").write_bytes(b"")
    options = {"root": tmp_path / "data", "classes": 3, "lists": "splits", "cache_folder": str(tmp_path / "cache")}
    with pytest.raises(ValueError, match=r"1 of 4 samples cannot be used:\n.*good0\.jpg.*it is empty") as caught:
        DataModule(Folder, skip=100, **options).check("val")
    assert "data.skip" not in str(caught.value)


def test_what_a_run_left_out_is_printed_and_it_trains(run, tmp_path, capsys):
    expected = made(tmp_path / "data")
    bad = [file for file, said in expected.items() if said]
    words = [*WORDS, f"data.root={tmp_path / 'data'}", f"data.skip={len(bad)}", "transform.crop=[8,8]"]
    folder = run(*words)
    assert f"data.skip={len(bad)}: {len(bad)} of " in capsys.readouterr().out
    assert json.loads((folder / "results.json").read_text())["status"] == "finished"


@pytest.mark.parametrize("tag", range(1, 9))
def test_orientation_is_followed_by_images_and_a_mask_drawn_on_the_stored_picture_is_told(tmp_path, tag):
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = tag
    upright = MASK.T if tag >= 5 else MASK
    for index in range(4):
        Image.fromarray(RGB).save(tmp_path / f"data/images/{index}.jpg", exif=exif)
        Image.fromarray(np.ascontiguousarray(upright)).save(tmp_path / f"data/masks/{index}.png")
    found = examined(tmp_path / "data", "data.lists=null")
    assert found["faults"] == []
    assert found["splits"]["train"]["height"]["max"] == upright.shape[0]
    Image.fromarray(MASK).save(tmp_path / "data/masks/2.png")
    faults = examined(tmp_path / "data", "data.lists=null")["faults"]
    assert len(faults) == (tag >= 5)
    if faults:
        assert "they match without the image's EXIF orientation" in faults[0]["reason"]


def test_pictures_of_odd_sizes_train_and_are_evaluated_and_predicted(run, tmp_path):
    from src.predict import predict

    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    sizes = [(1, 1), (1, 4000), (4000, 1), (3, 5), (40, 7), (9, 9), (1, 2), (33, 33)]
    for index, size in enumerate(sizes):
        Image.fromarray(RNG.integers(0, 256, (*size, 3), dtype=np.uint8)).save(tmp_path / f"data/images/{index}.png")
        Image.fromarray(RNG.integers(0, 3, size, dtype=np.uint8)).save(tmp_path / f"data/masks/{index}.png")
    words = ["data=folder", f"data.root={tmp_path / 'data'}", "data.classes=3", "data.val_fraction=0.5"]
    folder = run(*words, "transform.crop=[32,32]", "data.size=null", "data.batch_size=2")
    results = json.loads((folder / "results.json").read_text())
    assert results["status"] == "finished"
    assert np.isfinite(results["val"]["loss"])
    ckpt, output = folder / "checkpoints/last.ckpt", tmp_path / "out"
    predict(cli.compose("predict", [f"ckpt={ckpt}", f"input={tmp_path / 'data/images'}", f"output={output}"]))
    for index, size in enumerate(sizes):
        assert Image.open(output / f"{index}.png").size == size[::-1]


def test_where_nothing_is_labelled_the_loss_is_0_and_the_scores_are_not_there(run, tmp_path):
    for part in ("images", "masks"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for index in range(6):
        Image.fromarray(RGB).save(tmp_path / f"data/images/{index}.png")
        Image.fromarray(np.full(SIZE, 255, np.uint8)).save(tmp_path / f"data/masks/{index}.png")
    words = [f"data.root={tmp_path / 'data'}", "data=folder", "data.classes=3", "data.void=255", "data.batch_size=2"]
    folder = run(*words)
    results = json.loads((folder / "results.json").read_text())
    assert results["status"] == "finished"
    assert results["val"]["score"] is None
    assert results["val"]["miou"] is None
    weights = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"].values()
    assert all(weight.isfinite().all() for weight in weights)


@pytest.mark.parametrize(
    ("lists", "words", "said"),
    [
        ({"train": "", "val": "good0"}, (), "the split 'train' is empty"),
        ({"train": "good1\ngood2", "val": ""}, (), "the split 'val' is empty"),
        ({"train": "good1\ngood2"}, (), r"there is no list of this split: .*val\.txt"),
        ({"train": "good1\ngood2", "val": "good0"}, ("data.batch_size=3",), "2 samples, fewer than data.batch_size=3"),
    ],
)
def test_splits_that_cannot_train_are_told_before_the_training(run, tmp_path, lists, words, said):
    made(tmp_path / "data")
    for split in ("train", "val"):
        (tmp_path / f"data/splits/{split}.txt").unlink()
    for split, names in lists.items():
        (tmp_path / f"data/splits/{split}.txt").write_text(names)
    with pytest.raises(ValueError, match=said):
        run(*WORDS, f"data.root={tmp_path / 'data'}", "data.batch_size=2", *words)
    assert not list((tmp_path / "run").rglob("*.ckpt"))


def mutants(whole: bytes, rng: np.random.Generator) -> bytes:
    """Flipped bits, a cut, foreign bytes put in, or the header written over."""
    data = bytearray(whole)
    match rng.integers(0, 4):
        case 0:
            for bit in rng.integers(0, 8 * len(data), rng.integers(1, 9)):
                data[bit // 8] ^= 1 << int(bit) % 8
        case 1:
            del data[rng.integers(0, len(data)) :]
        case 2:
            place = rng.integers(0, len(data))
            data[place:place] = rng.bytes(rng.integers(1, 40))
        case _:
            for place in rng.integers(0, min(64, len(data)), 3):
                data[place] = rng.integers(0, 256)
    return bytes(data)


def written(folder: Path) -> list[Path]:
    """A good file of every format that is read."""
    picture = Image.fromarray(RGB)
    for name in ("a.jpg", "a.bmp", "a.webp", "a.tif", "a.gif", "a.ppm"):
        picture.save(folder / name)
    picture.convert("P").save(folder / "palette.png")
    picture.save(folder / "squeezed.tif", compression="tiff_lzw")
    Image.fromarray(DEEP[..., 0]).save(folder / "deepgrey.png")
    tifffile.imwrite(folder / "deep.tif", DEEP, photometric="rgb")
    (folder / "plain.png").write_bytes(png(RGB))
    (folder / "deep.png").write_bytes(png(DEEP))
    return sorted(folder.iterdir())


def tried(whole: Path, folder: Path, seed: int, count: int) -> list[str]:
    """What went wrong with so many mutants of a file; here, in a process that may die of them."""
    rng, wrong = np.random.default_rng(seed), []
    warnings.simplefilter("ignore")  # Pillow's, of what it finds odd in a header
    path = folder / whole.name
    for index in range(count):
        path.write_bytes(mutants(whole.read_bytes(), rng))
        for read in (decode.image, decode.labels):
            try:
                read(path, max_pixels=10_000_000)
            except ValueError as error:
                if str(path) not in str(error):
                    wrong.append(f"{path.name} {index}: not named in {error}")
            except Exception as error:
                wrong.append(f"{path.name} {index}: {error!r}")
    return wrong


def fuzzed(folder: Path, count: int) -> dict[str, list[str]]:
    """By file what went wrong: crashes and hangs as well as errors that name no file."""
    (folder / "whole").mkdir()
    (folder / "mutant").mkdir()
    found = {}
    for seed, whole in enumerate(written(folder / "whole")):
        with ProcessPoolExecutor(1) as pool:
            future = pool.submit(tried, whole, folder / "mutant", seed, count)
            try:
                found[whole.name] = future.result(timeout=60 + count)
            except (BrokenProcessPool, TimeoutError) as error:
                found[whole.name] = [f"{whole.name}: {error!r}"]
    return found


@pytest.mark.parametrize("count", [5, pytest.param(1000, marks=pytest.mark.long)])
def test_mutated_files_are_read_or_named(tmp_path, tally, count):
    found = fuzzed(tmp_path, count)
    wrong = [line for lines in found.values() for line in lines]
    tally(f"mutated files of {len(found)} formats", tried=count * len(found), failed=len(wrong))
    assert not wrong


@pytest.mark.parametrize("name", ["camvid", "voc", "ade20k", "cityscapes", "isbi", "folder"])
def test_every_dataset_on_disk_takes_a_limit_of_pixels(name):
    check(plain(cli.compose("doctor", [f"data={name}", "data.max_pixels=123", "data.root=here"])), "doctor")


def test_a_picture_beyond_the_limit_is_named_with_the_option(tmp_path):
    made(tmp_path / "data")
    faults = examined(tmp_path / "data", "data.max_pixels=200")["faults"]
    assert not any("pixels: say max_pixels" in fault["reason"] for fault in faults)
    tall = np.zeros((40, 6), np.uint8)
    for part, suffix in (("images", "jpg"), ("masks", "png")):
        Image.fromarray(tall).save(tmp_path / f"data/{part}/good6.{suffix}")
    reasons = [fault["reason"] for fault in examined(tmp_path / "data", "data.max_pixels=200")["faults"]]
    assert any("good6.jpg cannot be read: it is 40x6, more than 200 pixels: say max_pixels=240" in r for r in reasons)


def test_every_flipped_bit_of_a_jpeg_fails_its_sum(tmp_path, tally):
    made(tmp_path / "data")
    for file in [path for path in (tmp_path / "data/images").iterdir() if path.stem[:4] != "good"]:
        file.rmdir() if file.is_dir() else file.unlink()
    for file in [path for path in (tmp_path / "data/masks").iterdir() if path.stem[:4] != "good"]:
        file.unlink()
    (tmp_path / "data/splits/train.txt").write_text("good5\ngood6\ngood7")
    assert examined(tmp_path / "data", "checksums=write")["faults"] == []
    path = tmp_path / "data/images/good6.jpg"
    whole = path.read_bytes()
    bits = RNG.choice(8 * len(whole), 20, replace=False)
    missed = 0
    for bit in bits:
        path.write_bytes(flipped(whole, int(bit)))
        reasons = [fault["reason"] for fault in examined(tmp_path / "data", "checksums=check")["faults"]]
        missed += not any("good6.jpg: its bytes are not those" in reason for reason in reasons)
    tally("flipped bits against sums", tried=len(bits), failed=missed)
    assert missed == 0
