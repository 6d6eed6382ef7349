from pathlib import Path

import numpy as np
import pytest

from src.data.runs import drawn, runs


def test_runs_are_counted_from_one_down_the_columns() -> None:
    expected = [[False, True, False], [True, False, False]]
    assert drawn("2 2", (2, 3)).tolist() == expected
    assert drawn("2 1 3 1", (2, 3)).tolist() == expected
    assert drawn("6 1", (2, 3))[1, 2]


def test_a_mask_written_as_runs_is_drawn_again() -> None:
    mask = np.random.default_rng(0).random((13, 7)) < 0.5
    flat = np.concatenate([[0], mask.T.ravel(), [0]]).astype(np.int8)
    starts, ends = (np.flatnonzero(np.diff(flat) == step) for step in (1, -1))
    encoded = " ".join(f"{start + 1} {end - start}" for start, end in zip(starts, ends, strict=True))
    np.testing.assert_array_equal(drawn(encoded, (13, 7)), mask)


@pytest.mark.parametrize("encoded", ["1", "0 3", "1 0", "-1 2", "1 x"])
def test_what_is_no_pairs_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="are no pairs of a first pixel and a length"):
        drawn(encoded, (4, 4))


def test_a_table_lists_the_objects_of_each_image(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("ImageId,EncodedPixels\na,1 2\nb,\na,5 1 9 1\n")
    assert runs(table) == {"a": ["1 2", "5 1 9 1"], "b": []}
