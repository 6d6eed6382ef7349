"""The command: every part in its smallest form, and what it writes."""

import json
import subprocess
from importlib import import_module
from importlib.util import find_spec

import pytest

from src.benchmark import machine
from src.benchmark.__main__ import PARTS, SMOKE, chosen
from src.run import cli
from src.run.build import plain
from src.run.plugins import ROOT
from tests import warm


def smallest(part: str, **options) -> dict:
    settings = plain(cli.compose("benchmark", [f"part={part}"])) | {"rounds": 1}
    return settings | {part: settings[part] | SMOKE[part] | options}


def command(*words: str, folder) -> subprocess.CompletedProcess:
    return warm.run(["src.benchmark", *words], cwd=folder, timeout=600)


@pytest.mark.parametrize(
    ("part", "options", "peers"),
    [
        ("metric", {}, {"MulticlassJaccardIndex(validate_args=False)", "MetricCollection of five", "smp get_stats"}),
        ("detection", {}, {"pycocotools", "faster-coco-eval, called directly"}),
        ("loss", {"only": ["dice"]}, {"smp DiceLoss", "MONAI DiceLoss", "kornia", "logits and two copies"}),
        ("input", {}, {"PIL + v2 on PIL images", "decoded cache + v2 on tensors", "loop over colors"}),
        (
            "step",
            {"probes": 0},
            {"bare PyTorch loop", "Lightning, bare module", "Lightning, its defaults", "ours without the guards"},
        ),
        ("window", {}, {"one patch after the other"}),
        pytest.param("startup", {}, {"import torch", "import lightning"}, marks=pytest.mark.long),
    ],
)
def test_a_part_names_its_peers_and_has_figures_for_those_that_are_there(part, options, peers):
    rows = import_module(f"src.benchmark.{part}").run(smallest(part, **options))
    assert peers <= {row.peer for row in rows}
    for row in rows:
        assert row.part == part
        assert bool(row.missing) != bool(row.ratios)
        assert all(figure > 0 for figure in (*row.ours, *row.theirs))


def test_the_command_prints_a_table_and_writes_every_round(tmp_path):
    done = command("part=metric", "smoke=true", "output=out/figures.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "MulticlassJaccardIndex" in done.stdout
    written = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert written["machine"]["threads"] == 1
    assert written["machine"]["versions"]["torch"]
    assert written["settings"]["rounds"] == 1
    absent = [name for name in machine.PEERS if find_spec(name.replace("-", "_")) is None]
    assert written["machine"]["missing_peers"] == absent
    assert all(len(row["ours"]) == len(row["more"]["wall_ours"]) == 1 for row in written["rows"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["part=metrik"], "part=metrik: no such part; did you mean 'metric'?"),
        (["rounds=0"], "rounds=0 threads=1: at least 1 of each"),
        (["output=/proc/nothing/x.json"], "/proc/nothing: cannot be written to"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, words, said):
    done = command(*words, folder=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_learning_runs_only_when_it_is_named():
    assert chosen("all") == PARTS
    assert "learning" not in PARTS
    assert chosen("learning") == ("learning",)


def test_the_document_shows_a_row_of_every_part():
    document = (ROOT / "docs" / "benchmark.md").read_text()
    for part in PARTS:
        assert f"| {part} |" in document


@pytest.mark.long
def test_everything_in_its_smallest_form(tmp_path):
    done = command("smoke=true", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "benchmark.json").read_text())
    assert {row["part"] for row in written["rows"]} == set(PARTS)
    assert any("peak memory of a training step" in row["what"] for row in written["rows"])
