import csv

import pytest
from PIL import Image

from src.benchmark import learning


def test_between_two_evaluations_a_curve_is_a_straight_line():
    curve = [(100.0, 0.1), (200.0, 0.3)]
    assert [learning._at(curve, seconds) for seconds in (50.0, 100.0, 150.0, 200.0, 300.0)] == pytest.approx(
        [0.05, 0.1, 0.2, 0.3, 0.3]
    )


def test_the_rows_compare_at_equal_seconds_and_the_last_asks_for_three_points():
    ours, theirs = [(100.0, 0.2), (200.0, 0.5)], [(100.0, 0.3), (150.0, 0.35), (200.0, 0.4)]
    rows = learning._rows([(ours, theirs), (ours, theirs)])
    assert [row.goal for row in rows] == [None, 1.0, pytest.approx(0.43 / 0.4)]
    assert [row.met for row in rows] == ["", "yes", "yes"]
    assert rows[0].ratio == pytest.approx(0.2 / 0.3)


def test_without_a_folder_of_camvid_it_says_so():
    with pytest.raises(ValueError, match="say root=PATH"):
        learning.run({"root": None})


@pytest.mark.long
def test_a_short_race(shared, tmp_path):
    """Two epochs of ours beside as many seconds of the peer, on CamVid."""
    config = {"root": str(shared / "camvid"), "output": str(tmp_path / "b.json"), "threads": 1}
    rows = learning.run({**config, "learning": {"epochs": 1, "seeds": [0]}})
    assert len(rows) == 12
    assert all(0 <= value <= 1 for row in rows for value in (*row.ours, *row.theirs))
    seconds = [float(row["cpu_seconds"]) for row in csv.DictReader((tmp_path / "b" / "peer_0.csv").open())]
    assert seconds == sorted(seconds)
    assert Image.open(tmp_path / "b" / "curves.png").width > 300
