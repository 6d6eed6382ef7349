import pytest

from src.data.transform.span import Span


def test_a_window_inside_fills_the_output():
    span = Span.of(source=100, window=10, start=20, length=5)
    assert span.full
    assert span.index().tolist() == [21, 23, 25, 27, 29]  # the pixel at the middle of two, the later of them


def test_a_window_beyond_both_ends_leaves_unknown_around():
    span = Span.of(source=4, window=8, start=-1, length=16)
    assert (span.first, span.last) == (2, 10)
    assert not span.full
    assert span.index().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_mirror_moves_what_is_seen_to_the_other_side():
    span = Span.of(source=4, window=8, start=-1, length=16, mirrored=True)
    assert (span.first, span.last) == (6, 14)
    assert span.index().tolist() == [3, 3, 2, 2, 1, 1, 0, 0]


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_line_goes_through_the_nearest_pixels(mirrored):
    span = Span.of(source=50, window=21, start=-3, length=37, mirrored=mirrored)
    slope, shift = span.line()
    for output, source in zip(range(span.first, span.last), span.index(), strict=True):
        assert abs(slope * output + shift - source) <= 0.5


def test_something_can_always_be_seen():
    for start in range(-999, 1):
        span = Span.of(source=1, window=1000, start=start, length=3)
        assert 0 <= span.first < span.last <= 3


def test_a_window_that_shows_nothing_is_our_own_mistake():
    with pytest.raises(AssertionError, match="shows nothing of 4 pixels"):
        Span.of(source=4, window=2, start=5, length=2)
