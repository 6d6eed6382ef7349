from pathlib import Path

from src.leaderboard.agreement import agreement

HEAD = "loss,n,val/miou,val/miou std,val/miou n\n"


def test_each_arm_is_held_against_what_is_stored(tmp_path: Path) -> None:
    stored, fresh = tmp_path / "stored.csv", tmp_path / "fresh.csv"
    stored.write_text(f"{HEAD}dice,3,0.5,0.01,3\nfocal,3,0.4,0.01,3\nl1,3,0.3,0.01,3\nl2,1,0.2,,1\n")
    fresh.write_text(f"{HEAD}dice,3,0.5,0.01,3\nfocal,3,0.415,0.01,3\nl1,3,0.25,0.01,3\nl2,1,,,0\nnew,1,0.2,,1\n")
    assert agreement(stored, fresh) == [
        "dice: val/miou 0.5000 ± 0.0100 now, 0.5000 ± 0.0100 stored: the same",
        "focal: val/miou 0.4150 ± 0.0100 now, 0.4000 ± 0.0100 stored: within the spreads",
        "l1: val/miou 0.2500 ± 0.0100 now, 0.3000 ± 0.0100 stored: lower by 0.0500, more than both spreads",
        "l2: val/miou - now, 0.2000 stored",
        "new: val/miou 0.2000 now, none stored",
    ]


def test_a_file_of_something_else_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "fresh.csv").write_text(f"{HEAD}dice,3,0.5,0.01,3\n")
    assert agreement(tmp_path / "none.csv", tmp_path / "fresh.csv") == []
    for text in ("contender,seed,val_miou\nours,0,0.5\n", "model,n,val/miou\nunet,3,0.4\n"):
        (tmp_path / "stored.csv").write_text(text)
        assert agreement(tmp_path / "stored.csv", tmp_path / "fresh.csv") == []
