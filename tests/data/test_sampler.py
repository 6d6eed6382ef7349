import pytest

from src.data.sampler import InOrder, Shuffled, seeded


@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_ranks_divide_the_batches_of_one_process(world):
    alone = list(Shuffled(21, 4, seed=3))
    together = [list(Shuffled(21, 4, seed=3, rank=rank, world=world)) for rank in range(world)]
    for step, batch in enumerate(alone):
        assert sorted(batch) == sorted(key for rank in together for key in rank[step])


def test_each_index_at_most_once_an_epoch_and_epochs_differ():
    sampler = Shuffled(21, 4, seed=3)
    first = [index for batch in sampler for _, index in batch]
    assert len(first) == len(set(first)) == 20
    sampler.set_epoch(1)
    second = [key for batch in sampler for key in batch]
    assert {epoch for epoch, _ in second} == {1}
    assert [index for _, index in second] != first


def test_a_skip_continues_the_same_epoch_and_ends_with_it():
    whole, rest = Shuffled(21, 4, seed=3), Shuffled(21, 4, seed=3)
    rest.skip = 2
    assert list(rest) == list(whole)[2:]
    rest.set_epoch(1)
    assert len(list(rest)) == 5


@pytest.mark.parametrize("world", [1, 2])
def test_an_epoch_of_several_rounds_draws_each_index_as_often_each_time_under_another_number(world):
    ranks = [Shuffled(5, 4, seed=3, rank=rank, world=world, repeat=3) for rank in range(world)]
    for sampler in ranks:
        sampler.set_epoch(2)
        assert len(sampler) == len(list(sampler)) == 3
    keys = [key for sampler in ranks for batch in sampler for key in batch]
    assert len(set(keys)) == len(keys) == 12
    assert {number for number, _ in keys} == {6, 7, 8}  # 3 rounds of each epoch
    assert sorted(index for number, index in keys if number < 8) == sorted([*range(5)] * 2)
    short, long = Shuffled(5, 5, seed=3), Shuffled(5, 5, seed=3, repeat=3)
    alone = []
    for epoch in range(3):
        short.set_epoch(epoch)
        alone += list(short)
    assert list(long) == alone


def test_a_skip_goes_on_within_the_rounds():
    whole, rest = Shuffled(5, 4, seed=3, repeat=3), Shuffled(5, 4, seed=3, repeat=3)
    rest.skip = 2
    assert list(rest) == list(whole)[2:]


@pytest.mark.parametrize("world", [1, 2, 3, 9])
def test_evaluation_sees_every_index_once_in_batches_of_one_size(world):
    sizes = [(4, 4), (4, 6), (4, 4), (4, 6), (4, 4), (2, 2), (4, 4)]
    ranks = [list(InOrder(sizes, 3, rank, world)) for rank in range(world)]
    assert all(ranks)
    batches = [batch for rank in ranks for batch in rank if batch]
    assert sorted(index for batch in batches for _, index in batch) == list(range(7))
    assert all(len({sizes[index] for _, index in batch}) == 1 for batch in batches)
    assert max(len(batch) for batch in batches) == 3


def test_neighbouring_seeds_share_nothing():
    seeds = {seeded(a, b, c) for a in range(8) for b in range(8) for c in range(8)}
    assert len(seeds) == 512
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeded(1, 2) != seeded(2, 1)


def test_lightning_finds_set_epoch():
    from lightning.fabric.utilities.data import _set_sampler_epoch
    from torch.utils.data import DataLoader

    loader = DataLoader(range(8), batch_sampler=Shuffled(8, 4, seed=0))
    _set_sampler_epoch(loader, 5)
    assert loader.batch_sampler.epoch == 5
