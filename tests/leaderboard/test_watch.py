import itertools
from pathlib import Path

import pytest

from src.leaderboard import watch as watching
from src.leaderboard.board import Board, board
from src.leaderboard.watch import watch
from tests.leaderboard.sweep import run


def test_it_writes_when_something_changed_and_once_more_at_the_end(tmp_path: Path, monkeypatch, capsys) -> None:
    made: list[bool] = []
    looks = itertools.count()

    def sleep(seconds: float) -> None:
        look = next(looks)
        if look == 1:
            run(tmp_path / "0", 0, 0.5, loss="dice")
        if look == 3:
            run(tmp_path / "1", 0, 0.7, loss="focal")
            (tmp_path / "1" / "metrics.csv").write_text("epoch\n")
        if look == 5:
            raise KeyboardInterrupt

    def report(going: bool) -> Board:
        made.append(going)
        return board(tmp_path)

    monkeypatch.setattr(watching.time, "sleep", sleep)
    watch(tmp_path, 5, report)
    assert made == [True, True, False]
    lines = [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "no run yet"
    assert lines[1] == "1 run finished; first is all runs with 0.5000"
    assert lines[2] == "2 runs finished; first is focal with 0.7000"


def test_a_user_s_mistakes_are_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"runs=.*absent: there is no such folder to watch"):
        watch(tmp_path / "absent", 5, lambda going: board(tmp_path))
    with pytest.raises(ValueError, match="every=0: expected at least 1 second"):
        watch(tmp_path, 0, lambda going: board(tmp_path))
