import pytest

from src.run.sweep import machine, share
from src.run.sweep.share import Share, shares

CPU = {"accelerator": "cpu", "devices": "auto", "strategy": "auto"}
GPU = {"accelerator": "auto", "devices": "auto", "strategy": "auto"}


@pytest.fixture
def computer(monkeypatch):
    """A computer of so many cores and GPUs."""

    def made(cores: int, gpus: tuple[str, ...] = (), whole: bool = True) -> None:
        monkeypatch.setattr(share, "usable_cores", lambda: list(range(cores)))
        monkeypatch.setattr(machine, "gpus", lambda: list(gpus))
        monkeypatch.setattr(machine, "whole", lambda: whole)
        monkeypatch.setattr(machine, "apple", lambda: False)

    return made


def test_one_job_at_a_time_has_the_whole_machine(computer):
    computer(8)
    assert shares(1, [CPU]) == shares("auto", [CPU], most=1) == [Share()]
    assert Share().environment({"A": "b"}) == {"A": "b"}


def test_cores_are_dealt_out_without_rest_or_overlap(computer):
    computer(8)
    assert [share.cores for share in shares(3, [CPU])] == [(0, 1), (2, 3, 4), (5, 6, 7)]
    assert [share.threads for share in shares(3, [CPU])] == [2, 3, 3]
    assert [share.cores for share in shares("auto", [CPU])] == [(core,) for core in range(8)]
    assert [share.threads for share in shares("auto", [CPU], most=2)] == [4, 4]


def test_more_jobs_than_cores_take_turns(computer):
    computer(2)
    assert [share.cores for share in shares(5, [CPU])] == [(0,), (1,), (0,), (1,), (0,)]


def test_a_job_of_several_processes_counts_as_many(computer):
    computer(8)
    found = shares("auto", [CPU, CPU | {"devices": 4}])
    assert [share.cores for share in found] == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert [share.threads for share in found] == [1, 1]


def test_what_is_paid_by_time_is_not_tied_to_cores(computer):
    computer(2, whole=False)
    assert shares("auto", [CPU]) == [Share((), 1), Share((), 1)]


@pytest.mark.parametrize(
    ("trainer", "wanted", "expected"),
    [
        ({}, "auto", ["4", "5", "6", "7"]),
        ({"devices": 2, "strategy": "ddp"}, "auto", ["4,5", "6,7"]),
        ({"devices": "2"}, "auto", ["4,5", "6,7"]),
        ({"strategy": "ddp"}, "auto", ["4,5,6,7"]),
        ({"devices": -1}, "auto", ["4,5,6,7"]),
        ({}, 6, ["4", "5", "6", "7", "4", "5"]),
        ({"devices": 3}, 2, ["4,5,6", "4,5,6"]),
    ],
)
def test_gpus_are_dealt_out_among_those_that_are_visible(computer, trainer, wanted, expected):
    computer(8, ("4", "5", "6", "7"))
    found = shares(wanted, [GPU | trainer])
    assert [share.environment({})["CUDA_VISIBLE_DEVICES"] for share in found] == expected


def test_gpus_that_are_named_stay_as_they_are_named(computer):
    computer(8, ("0", "1"))
    assert shares("auto", [GPU | {"devices": [1]}]) == shares("auto", [GPU | {"devices": "0,1"}]) == [Share()]


def test_a_cpu_is_taken_for_what_it_is_beside_gpus(computer):
    computer(4, ("0",))
    assert [share.gpus for share in shares("auto", [CPU])] == [()] * 4


@pytest.mark.parametrize(("said", "threads"), [("1", "1"), ("16", "4"), ("", "4"), ("4,2", "4")])
def test_fewer_threads_that_the_user_asked_for_stay(said, threads):
    assert Share((0, 1, 2, 3), 4).environment({"OMP_NUM_THREADS": said})["OMP_NUM_THREADS"] == threads
