import os
import signal
from pathlib import Path

import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.fault import Fault
from src.data.reading import Reading
from src.data.sample import Sample


class Mined:
    """Twelve samples; reading some of them raises, contradicts the description, or kills the process."""

    def describe(self) -> Description:
        return Description(("image",), channels=1)

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Sample:
        if index == 3:
            raise KeyError("no such thing")
        if index == 7 and os.environ.get("MINED") != str(os.getpid()):
            os.kill(os.getpid(), signal.SIGKILL)
        channels = 2 if index == 5 else 1
        image = torch.full((channels, 2, 2), index, dtype=torch.uint8)
        return Sample(tv_tensors.Image(image), name=self.name(index), size=(2, 2))

    def name(self, index: int) -> str:
        return f"n{index}"

    def size(self, index: int) -> tuple[int, int]:
        return (2, 2)

    def files(self, index: int) -> tuple[str, ...]:
        return (f"/data/{index}.png",)


def first(sample: Sample) -> int:
    return int(sample.image[0, 0, 0])


@pytest.mark.parametrize("workers", [0, 2])
def test_every_sample_in_order_and_a_fault_where_one_cannot_be_used(monkeypatch, workers):
    if workers == 0:
        monkeypatch.setenv("MINED", str(os.getpid()))  # here the mine would kill the test itself
    found = list(Reading(Mined(), first, workers))
    faults = {index: fault for index, fault in enumerate(found) if isinstance(fault, Fault)}
    assert [value for value in found if not isinstance(value, Fault)] == [i for i in range(12) if i not in faults]
    assert faults[3] == Fault("n3", "/data/3.png: KeyError('no such thing')")
    assert faults[5].reason == "/data/5.png: the image has 2 channels, the dataset 1"
    assert set(faults) == ({3, 5, 7} if workers else {3, 5})
    if workers:
        assert "/data/7.png: reading it ended the process" in faults[7].reason


def test_an_error_that_names_the_file_is_left_as_it_is():
    assert Fault.of("a", ("/data/a.png",), ValueError("/data/a.png is bad")).reason == "/data/a.png is bad"
    assert Fault.of("a", (), ValueError("is bad")).reason == "sample 'a': is bad"
    assert Path(Fault.of("a", ("x.png", "y.png"), "odd").reason).name == "x.png and y.png: odd"
