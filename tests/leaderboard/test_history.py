from pathlib import Path

import pytest

from src.leaderboard.curve import together
from src.leaderboard.history import column


def test_a_column_by_epoch_without_what_is_empty_or_no_number(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text("epoch,train/loss,val/score\n0,1.0,\n1,0.9,0.25\n2,0.8,0.25\n3,0.7,nan\n4,0.6,0.5\n5,0.5\n")
    assert column(file, "val/score") == {1: 0.25, 2: 0.25, 4: 0.5}
    assert column(file, "train/loss") == {0: 1.0, 1: 0.9, 2: 0.8, 3: 0.7, 4: 0.6, 5: 0.5}
    assert column(file, "val/miou") == {}
    assert column(tmp_path / "none.csv", "val/score") == {}


def test_a_curve_is_the_mean_where_all_runs_were_evaluated() -> None:
    curve = together([{0: 0.1, 1: 0.2, 2: 0.3}, {}, {0: 0.3, 2: 0.5}])
    assert curve.epochs == [1, 3]
    assert curve.means == pytest.approx([0.2, 0.4])
    assert curve.spreads == pytest.approx([0.02**0.5] * 2)
    assert together([{0: 0.1}, {1: 0.2}]).epochs == [1, 2]
    assert together([{}, {}]) is None
