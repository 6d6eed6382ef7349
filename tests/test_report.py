import csv
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from src.report import report

ROOT = Path(__file__).resolve().parents[1]


def write(folder: Path, seed: int, score: float | None, status: str = "finished", **axes: Any) -> Path:
    """A run folder such as src.train leaves."""
    folder.mkdir(parents=True)
    classes = {"iou/sea": score, "iou/box": None}  # a class that is in no image
    val = score and {"score": score, "miou": score, "accuracy": score + 0.1, "iou/sky": score + 0.2, **classes}
    content = {
        "seed": seed,
        "score": score,
        "val": val,
        "test": None,
        "params": 1000,
        "seconds": 60.0 + seed,
        "status": status,
        "git": "abc",
        "device": "cpu",
        "versions": {"torch": "2.15.0"},
        "axes": {"data": "scenes", **axes, "seed": seed},
    }
    (folder / "results.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two losses by two seeds, and one run of each kind that does not count."""
    top = tmp_path / "runs"
    for seed in (0, 1):
        write(top / f"ce {seed}", seed, 0.2 + 0.1 * seed, loss="cross_entropy")
        write(top / "deeper" / f"dice {seed}", seed, 0.5 + 0.1 * seed, loss="dice")
    write(top / "failed", 2, None, "failed", loss="dice")
    (top / "failed" / "log.txt").write_text("ValueError: <u>bold</u>\n")
    write(top / "killed", 2, None, "running", loss="dice")
    write(top / "stopped", 2, 0.9, "interrupted", loss="dice")
    (top / "torn").mkdir()
    (top / "torn" / "results.json").write_text('{"axes": {')
    (top / "other").mkdir()
    (top / "other" / "results.json").write_text('{"pq": 0.5}')
    (top / "early").mkdir()
    (top / "early" / "log.txt").write_text("error: loss=dise: no such choice\n")
    return top


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_row_per_configuration_best_first(runs: Path, tmp_path: Path) -> None:
    report(runs, tmp_path / "out")
    best, second = rows(tmp_path / "out" / "report.csv")
    assert (best["loss"], best["data"], best["n"], second["loss"]) == ("dice", "scenes", "2", "cross_entropy")
    assert float(best["score"]) == pytest.approx(0.55)
    assert float(best["score std"]) == pytest.approx(0.1 / 2**0.5)
    assert float(best["score low"]) == pytest.approx(0.55 - 12.7062 * 0.05, abs=1e-4)  # t for one degree of freedom
    assert float(best["score high"]) == pytest.approx(0.55 + 12.7062 * 0.05, abs=1e-4)
    assert float(best["val/accuracy"]) == pytest.approx(0.65)
    assert float(best["val/iou/sky"]) == pytest.approx(0.75)
    assert "seed" not in best
    assert "val/iou/box" not in best  # null in every run: the class is absent


def test_no_run_is_dropped_silently(runs: Path, tmp_path: Path) -> None:
    report(runs, tmp_path / "out")
    found = {row["folder"]: row["trouble"] for row in rows(tmp_path / "out" / "runs.csv")}
    assert len(found) == 10
    assert sum(not trouble for trouble in found.values()) == 4
    assert found["failed"] == "failed: ValueError: <u>bold</u>"
    assert found["killed"] == "killed, or running where its lock is not seen"
    assert found["stopped"] == "interrupted"
    assert found["torn"].startswith("results.json cannot be read: ")
    assert found["other"] == "results.json cannot be read: it is not a run's, there are no 'axes' in it"
    assert found["early"] == "no results.json: error: loss=dise: no such choice"
    text = (tmp_path / "out" / "report.txt").read_text()
    assert "runs that do not count: 6\n" in text
    assert all(f"    {trouble}\n" in text for trouble in found.values() if trouble)


def test_a_run_that_is_alive_is_told_from_one_that_was_killed(tmp_path: Path) -> None:
    folder = write(tmp_path / "runs" / "0", 0, None, "running")
    code = "import sys; from src.run.lock import locked; from pathlib import Path\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        (alive,) = report(tmp_path / "runs", tmp_path / "out").left
        process.stdin.close()
    (dead,) = report(tmp_path / "runs", tmp_path / "out").left
    assert alive.trouble.startswith(f"running, process {process.pid} on ")
    assert dead.trouble == "killed, or running where its lock is not seen"


def test_only_what_varies_is_a_column(runs: Path, tmp_path: Path) -> None:
    report(runs, tmp_path / "out")
    lines = (tmp_path / "out" / "report.txt").read_text().splitlines()
    assert lines[0] == (
        "configurations: 2, runs: 4; by score, best first; mean ± sample standard deviation (n - 1) over n seeds; "
        "95 %: the t interval of the mean, none for n = 1"
    )
    assert lines[1] == "the same in all runs: data=scenes  device=cpu  git=abc  torch=2.15.0"
    assert lines[3].split() == ["loss", "n", "score", "95", "%", "val/accuracy", "seconds", "params"]
    assert " ".join(lines[4].split()) == "dice 2 0.5500 ± 0.0707 -0.0853 to 1.1853 0.6500 ± 0.0707 60.5 ± 0.7 1,000"


def test_what_differs_without_being_an_axis_is_said(runs: Path, tmp_path: Path) -> None:
    file = runs / "ce 0" / "results.json"
    file.write_text(file.read_text().replace('"abc"', '"abd+"'))
    report(runs, tmp_path / "out")
    assert "no axis, and yet different: git=abc, abd+\n" in (tmp_path / "out" / "report.txt").read_text()


@pytest.mark.parametrize(
    ("metric", "ascending", "first"),
    [("seconds", True, "slow to converge"), ("val/iou/sky", False, "dice"), ("val/iou/sky", True, "slow to converge")],
)
def test_any_figure_ranks(runs: Path, tmp_path: Path, metric: str, ascending: bool, first: str) -> None:
    write(runs / "slow", -9, 0.01, loss="slow to converge")
    board = report(runs, tmp_path / "out", metric, ascending)
    assert board.configurations[0].axes["loss"] == first
    assert board.shown[0] == metric


def test_a_configuration_without_the_metric_comes_last(runs: Path, tmp_path: Path) -> None:
    write(runs / "nan", 0, None, loss="nan")
    for ascending in (False, True):
        board = report(runs, tmp_path / "out", "score", ascending)
        assert board.configurations[-1].axes["loss"] == "nan"


def test_a_mean_over_fewer_runs_says_so(runs: Path, tmp_path: Path) -> None:
    write(runs / "nan", 5, None, loss="dice")
    report(runs, tmp_path / "out")
    assert "0.5500 ± 0.0707 (of 2)" in (tmp_path / "out" / "report.txt").read_text()


class Links(HTMLParser):
    """The links of a page, its tags, and whatever it would load from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)
        found = dict(attrs)
        self.links += [found["href"] or ""] if tag == "a" and not (found["href"] or "").startswith("#") else []
        kept = (found.get("src") or "").startswith("data:image/webp;base64,")
        self.loaded += [
            f"{tag} {key}" for key in found if key in ("src", "href", "onclick") and tag != "a" and not kept
        ]
        self.loaded += [tag] if tag in ("script", "link", "iframe", "u") else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_links_the_runs(runs: Path, tmp_path: Path) -> None:
    odd = write(runs / 'odd & <u> "#%41', 0, 0.4, loss="<script>alert(1)</script>") / "results.json"
    odd.write_text(odd.read_text().replace('"seed": 0', '"seed": "<u>"', 1))
    report(runs, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    parsed = Links(page)
    assert parsed.open == []
    assert parsed.loaded == ["script"]  # its own: nothing of a run's own text became a tag, either
    folders = {(tmp_path / "out" / unquote(link)).resolve() for link in parsed.links}
    assert {file.parent for file in runs.rglob("results.json")} | {runs / "early"} == folders
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "0.7500" in page  # of the class `sky`
    assert str(tmp_path) not in page


def test_the_plot_puts_larger_scores_further_right(runs: Path, tmp_path: Path) -> None:
    report(runs, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    drawing = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    means = [float(line.attrib["x1"]) for line in drawing.iter("line") if line.attrib["class"] == "mean"]
    dots = [float(dot.attrib["cx"]) for dot in drawing.iter("circle")]
    bars = [(float(b.attrib["x1"]), float(b.attrib["x2"])) for b in drawing.iter("line") if b.attrib["class"] == "bar"]
    assert means[0] > means[1]  # dice above cross_entropy
    assert len(dots) == 4
    scale = (dots[1] - dots[0]) / 0.1
    assert bars[0][1] - bars[0][0] == pytest.approx(2 * scale * 0.1 / 2**0.5, abs=0.3)


def test_equal_scores_have_a_plot(tmp_path: Path) -> None:
    write(tmp_path / "a", 0, 0.0)
    report(tmp_path, tmp_path)
    assert "<circle" in (tmp_path / "index.html").read_text()


def test_a_sweep_of_which_nothing_finished_has_a_report(tmp_path: Path) -> None:
    write(tmp_path / "a", 0, None, "failed")
    report(tmp_path, tmp_path)
    assert "runs that do not count: 1\n" in (tmp_path / "report.txt").read_text()
    assert "<li>" in (tmp_path / "index.html").read_text()


def test_user_s_mistakes(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"runs=.*empty: no run in it; every run of src.train leaves a results.json"):
        report(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(ValueError, match=r"runs=.*absent: there is no such folder"):
        report(tmp_path / "absent", tmp_path / "out")
    with pytest.raises(ValueError, match=r"metric=val/mio: .*; did you mean 'val/miou'\?; there are: params, score"):
        report(runs, tmp_path / "out", "val/mio")
    assert not (tmp_path / "out").exists()


def test_the_command_needs_no_torch(runs: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['runs=runs', 'output=out', 'metric=val/miou'];"
        "from src.report import main; main(); print('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.endswith(f"written to {tmp_path / 'out'}: index.html, report.txt, report.csv, runs.csv\nFalse\n")
    assert "0.5500 ± 0.0707" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "runs"]  # Hydra leaves nothing behind


def test_the_commands_of_its_page_in_docs_are_taken() -> None:
    from src.leaderboard.experiment import experiment
    from src.run import cli
    from src.run.build import plain
    from src.run.check import check

    text = (ROOT / "docs" / "report.md").read_text()
    said = [words.split() for words in re.findall(r"python -m src\.report ([^`\n]+)", text)]
    assert len(said) == 4
    for words in said:
        names = [word.partition("=")[2] for word in words if word.startswith("experiments=")]
        assert all(name == "all" or experiment(name) for name in names)
        check(plain(cli.compose("report", [word for word in words if not word.startswith("experiments=")])), "report")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / "docs" / target).exists(), target
