import io

import pytest
from rich.console import Console

from src.run.sweep.job import Job
from src.run.sweep.plan import Plan, Row
from src.run.sweep.progress import Progress, best


class Fake(Plan):
    """Two jobs that finished, one that failed, one that runs and two that wait."""

    def __init__(self) -> None:
        states = ("finished", "pruned", "failed", "running", "waiting", "waiting")
        self.rows = [Row(f"[{n + 1}/6] seed={n}", [], "", "", f"{n}", state) for n, state in enumerate(states)]
        self.rows[0].score, self.rows[0].seconds = 0.5, 10.0
        self.rows[1].score, self.rows[1].seconds = float("nan"), 20.0
        self.rows[2].score, self.rows[2].trouble = 0.9, "it broke"


@pytest.fixture
def running(tmp_path) -> Job:
    made = Job([], tmp_path, "[4/6] seed=3")
    made.seconds = 5.0
    (tmp_path / "metrics.csv").write_text("epoch,step,val/score\n0,4,0.1\n1,8,0.25\n")
    return made


def shown(terminal: bool, act) -> str:
    progress = Progress(Fake(), 2, verbose=False)
    text = io.StringIO()
    progress._console = Console(file=text, force_terminal=terminal, width=200, highlight=False)
    progress._live.console = progress._console
    with progress:
        act(progress)
    return text.getvalue()


def test_the_best_is_of_those_that_finished():
    assert best(Fake().rows).name == "[1/6] seed=0"
    assert best([]) is None


def test_a_pipe_gets_a_line_per_start_and_end(running):
    def act(progress: Progress) -> None:
        progress.watch([running])
        progress.watch([running])
        running.score = 0.125
        progress.ended(running)

    assert shown(False, act).splitlines() == [
        "[4/6] seed=3 begins",
        "[4/6] seed=3: score 0.1250, 5 s",
        # three jobs of 15 seconds, two at the same time
        "  2 of 6 finished; 1 failed; best 0.5000 [1/6] seed=0; about 22 s left",
    ]


def test_a_terminal_shows_what_runs_and_how_far_it_is(running):
    lines = shown(True, lambda progress: progress.watch([running]))
    assert "2 of 6 finished; 1 failed; best 0.5000 [1/6] seed=0; about 20 s left" in lines
    assert "[4/6] seed=3      2     0.2500   5 s" in lines
    assert "begins" not in lines


def test_a_job_without_an_epoch_has_a_row_all_the_same(running):
    (running.folder / "metrics.csv").unlink()
    assert "[4/6] seed=3" in shown(True, lambda progress: progress.watch([running]))
