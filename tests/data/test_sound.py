from pathlib import Path

import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.sample import Sample
from src.data.sound import Sound


class Four:
    """Four samples, each a file that holds its number; other text is a fault."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.read = folder, 0

    def describe(self) -> Description:
        return Description(("image",), channels=1)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        self.read += 1
        value = int(Path(self.files(index)[0]).read_text())
        return Sample(tv_tensors.Image(torch.full((1, 1, 2), value).byte()), name=f"{index}", size=(1, 2))

    def name(self, index: int) -> str:
        return f"{index}"

    def size(self, index: int) -> tuple[int, int]:
        return (1, 2 + index)

    def files(self, index: int) -> tuple[str, ...]:
        return (str(self.folder / f"{index}.txt"),)


@pytest.fixture
def four(tmp_path):
    for index in range(4):
        (tmp_path / f"{index}.txt").write_text("no number" if index == 1 else str(index))
    return Four(tmp_path)


def test_the_faulty_are_left_out_and_the_others_read_anew(four, tmp_path):
    sound = Sound(four, ("image",), tmp_path / "cache", skip=1)
    assert [int(sound[index].image.max()) for index in range(len(sound))] == [0, 2, 3]
    assert [sound.name(index) for index in range(3)] == ["0", "2", "3"]
    assert [sound.size(index) for index in range(3)] == [(1, 2), (1, 4), (1, 5)]
    assert [Path(sound.files(index)[0]).name for index in range(3)] == ["0.txt", "2.txt", "3.txt"]
    assert "1.txt: invalid literal" in sound.faults[0].reason


def test_files_that_did_not_change_are_not_read_again(four, tmp_path):
    Sound(four, ("image",), tmp_path / "cache", skip=1)
    before = four.read
    assert len(Sound(four, ("image",), tmp_path / "cache", skip=1)) == 3
    assert four.read == before
    (tmp_path / "1.txt").write_text("1")
    assert len(Sound(four, ("image",), tmp_path / "cache")) == 4


@pytest.mark.parametrize("first", [None, 1])
def test_more_faults_than_may_be_are_an_error_each_time(four, tmp_path, first):
    if first:
        Sound(four, ("image",), tmp_path / "cache", skip=first)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"(?s)1 of 4 samples cannot be used:\n.*1\.txt.*data\.skip=1$"):
            Sound(four, ("image",), tmp_path / "cache", skip=0)


def test_a_folder_that_cannot_be_written_costs_the_next_run_a_reading(four, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file")
    for _ in range(2):
        before = four.read
        assert len(Sound(four, ("image",), tmp_path / "cache", skip=1)) == 3
        assert four.read == before + 4
        assert "will be again in the next run" in capsys.readouterr().out
