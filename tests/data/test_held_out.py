import pytest

from src.data.held_out import held_out, last_fifth

NAMES = [f"im{number:03}" for number in range(100)]


def test_a_share_of_the_names_whatever_their_order() -> None:
    held = held_out(NAMES, 0.2)
    assert len(held) == 20
    assert held == held_out(NAMES[::-1], 0.2)
    assert held != set(NAMES[:20])
    assert len(held_out(NAMES[:2], 0.1)) == 1


def test_new_names_move_few_others() -> None:
    moved = held_out(NAMES, 0.2) - held_out([*NAMES, "more", "other"], 0.2)
    assert len(moved) <= 2


def test_the_same_ones_on_every_machine() -> None:
    assert held_out(NAMES[:8], 0.25) == {"im001", "im006"}


@pytest.mark.parametrize(("count", "held"), [(2, 0), (3, 1), (5, 1), (8, 2), (670, 134)])
def test_the_last_fifth_is_rounded(count: int, held: int) -> None:
    names = range(count)
    assert (names[last_fifth(count, "train")], names[last_fifth(count, "val")]) == (
        names[: count - held],
        names[count - held :],
    )
