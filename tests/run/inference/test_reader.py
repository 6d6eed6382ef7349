from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.data.description import Description
from src.run.inference.reader import Reader
from src.run.inference.source import Source


def saved(folder: Path, name: str, array: np.ndarray) -> Source:
    path = folder / name
    np.save(path, array) if path.suffix == ".npy" else Image.fromarray(array).save(path)
    return Source(path, path.stem)


def reader(sources: list[Source], channels: int = 3, white: float = 255.0, **options) -> Reader:
    description = Description(("image",), channels=channels, value_range=(0.0, white))
    return Reader(sources, description, options.pop("at_once", lambda size: 2), options.pop("max_pixels", 10**6))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_files_of_one_size_come_together_with_their_own_values(tmp_path, rng):
    arrays = {f"{i}.png": rng.integers(0, 256, (*size, 3), np.uint8) for i, size in enumerate([(4, 5), (6, 5), (4, 5)])}
    reads = list(reader([saved(tmp_path, name, array) for name, array in arrays.items()]))
    assert [[source.name for source in read.sources] for read in reads] == [["0", "2"], ["1"]]
    for read in reads:
        for source, image in zip(read.sources, read.images, strict=True):
            assert torch.equal(image, torch.from_numpy(arrays[f"{source.name}.png"]).permute(2, 0, 1))


def test_no_more_come_together_than_asked_for(tmp_path, rng):
    sources = [saved(tmp_path, f"{i}.png", rng.integers(0, 256, (4, 5, 3), np.uint8)) for i in range(5)]
    assert [len(read.sources) for read in reader(sources, at_once=lambda size: size[0] // 2)] == [2, 2, 1]


def test_grey_among_colored_is_repeated(tmp_path, rng):
    grey = rng.integers(0, 256, (4, 5), np.uint8)
    (read,) = reader([saved(tmp_path, "a.jpg", grey), saved(tmp_path, "b.png", grey)])
    assert read.images.shape == (2, 3, 4, 5)
    assert (read.images == read.images[:, :1]).all()


def test_what_cannot_be_read_is_named_and_the_rest_comes(tmp_path, rng):
    good = saved(tmp_path, "good.png", rng.integers(0, 256, (4, 5, 3), np.uint8))
    cut = saved(tmp_path, "cut.png", rng.integers(0, 256, (4, 5, 3), np.uint8))
    cut.path.write_bytes(cut.path.read_bytes()[:-30])
    page = Source(tmp_path / "page.png", "page")
    page.path.write_text("<html></html>")
    four = saved(tmp_path, "four.npy", rng.integers(0, 256, (4, 5, 4), np.uint8))
    large = saved(tmp_path, "large.png", np.zeros((40, 50, 3), np.uint8))
    reads = list(reader([cut, page, four, large, good], at_once=lambda size: 9, max_pixels=1000))
    assert [source for read in reads for source in read.sources] == [good]
    failures = {source.name: reason for read in reads for source, reason in read.failures.items()}
    assert set(failures) == {"cut", "page", "four", "large"}
    assert all(str(tmp_path / name) in failures[name] for name in failures)
    assert "4 channels, where 3" in failures["four"]
    assert "say max_pixels=2000" in failures["large"]


def test_a_batch_in_which_nothing_can_be_read_is_no_batch(tmp_path):
    four = saved(tmp_path, "four.npy", np.zeros((4, 5, 4), np.uint8))
    (read,) = reader([four])
    assert read.images is None
    assert list(read.failures) == [four]


@pytest.mark.parametrize(
    ("array", "white", "fits"),
    [
        (np.full((4, 5), 200, np.uint8), 255, True),
        (np.full((4, 5), 200, np.uint8), 65535, False),
        (np.full((4, 5), 200, np.uint8), 1, False),
        (np.full((4, 5), 1, np.uint8), 1, True),
        (np.full((4, 5), 4000, np.uint16), 4095, True),
        (np.full((4, 5), 4000, np.uint16), 255, False),
        (np.full((4, 5), 0.5, np.float32), 1, True),
        (np.full((4, 5), 0.5, np.float32), 255, False),
        (np.full((4, 5), 99.5, np.float32), 255, True),
    ],
)
def test_values_must_mean_what_the_checkpoint_takes_them_for(tmp_path, array, white, fits):
    (read,) = reader([saved(tmp_path, "a.npy", array)], channels=1, white=float(white))
    if fits:
        assert torch.equal(read.images[0, 0], torch.from_numpy(array))
    else:
        (reason,) = read.failures.values()
        assert f"{tmp_path / 'a.npy'} is a" in reason
        assert f"whose white is {white}" in reason
