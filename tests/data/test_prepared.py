from dataclasses import replace

import torch
from torchvision import tv_tensors

from src.data.cache import Cache
from src.data.description import Description
from src.data.prepared import Prepared
from src.data.sample import Sample


class Numbered:
    """Ten samples, each a pixel that holds its number."""

    def describe(self) -> Description:
        classes = tuple("abcdefghij")
        return Description(("image", "mask"), classes, ((0, 0, 0),) * 10, channels=1)

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Sample:
        number = torch.full((1, 1, 1), index, dtype=torch.uint8)
        return Sample(tv_tensors.Image(number), tv_tensors.Mask(number[0]), name=f"{index}", size=(1, 1))

    def name(self, index: int) -> str:
        return f"{index}"

    def size(self, index: int) -> tuple[int, int]:
        return (1, 1)

    def files(self, index: int) -> tuple[str, ...]:
        return ()


def numbered() -> Cache:
    return Cache(Numbered(), ("image", "mask"), None)


class Gathered:
    """A transform that needs two other samples and notes who came together, and a random number."""

    partners = 2

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    def __call__(self, *samples: Sample) -> Sample:
        assert all(sample.mask is None for sample in samples)
        self.seen.append((*(sample.name for sample in samples), f"{torch.rand(()):.6f}"))
        return samples[0]


def gathered(keys: list[tuple[int, int]], seed: int = 0) -> list[tuple[str, ...]]:
    transform = Gathered()
    prepared = Prepared(numbered(), transform, ("image",), seed)
    for key in keys:
        prepared[key]
    return transform.seen


def test_who_is_drawn_depends_on_seed_epoch_and_index_alone():
    keys = [(epoch, index) for epoch in range(3) for index in range(10)]
    seen = gathered(keys)
    torch.manual_seed(99)
    assert gathered(keys[7:]) == seen[7:]
    assert gathered(keys[::-1]) == seen[::-1]
    assert gathered(keys, seed=1) != seen
    assert [names[0] for names in seen] == [f"{index}" for _, index in keys]
    assert {name for names in seen for name in names[1:3]} == {f"{index}" for index in range(10)}
    assert len(set(seen)) == len(seen)


def test_a_transform_without_partners_gets_one_sample_and_its_own_random_numbers():
    prepared = Prepared(
        numbered(), lambda sample: replace(sample, name=f"{sample.name} {torch.rand(())}"), ("image",), 0
    )
    before = torch.get_rng_state()
    first, again, other = prepared[0, 3], prepared[0, 3], prepared[1, 3]
    assert first.name.startswith("3 ")
    assert first.name == again.name != other.name
    assert torch.equal(before, torch.get_rng_state())
