"""`experiments=NAME`: tables made again from what a header says."""

from pathlib import Path

import pytest

from src.leaderboard.experiment import experiment
from src.report import tables
from tests.leaderboard.sweep import run


def test_a_header_is_read_part_by_part() -> None:
    found = experiment("weak_labels")
    assert found.said("Question").startswith("how many labelled pixels does a network need?")
    assert found.said("Question").endswith('one class "other" or unknown?')
    assert [words[0] for words in found.reports] == ["runs=runs/weak_labels", "runs=runs/weak_other"]
    assert len(found.trainings) == 3
    assert "|" not in experiment("coco").said("Question")  # the table below it is none of it
    assert found.said("Nonsense") == ""


def test_an_experiment_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"experiments=skip: no such experiment; did you mean 'skips'\?"):
        experiment("skip")


def test_the_words_are_the_header_s_and_the_user_s_come_last(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    ((name, config),) = tables(experiment("skips"), [f"runs={tmp_path / 'runs'}", "columns=[seconds]"])
    assert (name, config.axes, config.columns) == ("skips", ["model/decoder"], ["seconds"])
    assert config.output == "runs/skips/report"


def test_of_several_tables_each_has_its_folder(tmp_path: Path) -> None:
    for name in ("weak_labels", "weak_other"):
        (tmp_path / name).mkdir()
    found = list(tables(experiment("weak_labels"), [f"runs={tmp_path}", "output=out"]))
    assert [(name, Path(c.runs).name, c.output) for name, c in found] == [
        ("weak_labels", "weak_labels", "out/weak_labels"),
        ("weak_other", "weak_other", "out/weak_other"),
    ]


def test_without_its_runs_it_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"(?s)absent: there is no such folder; .*\n  python -m src.train -m exp.*=skips"
    ):
        list(tables(experiment("skips"), [f"runs={tmp_path / 'absent'}"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["experiments="], "error: experiments=: no such experiment. There are: ancestors, camvid, "),
        (["experiments=[skips]"], "error: experiments=['skips']: no such experiment"),
        (["experiments=skips", "watch=true"], "error: watch=true: an experiment's table is made once"),
    ],
)
def test_mistakes_are_told_in_a_line(words: list[str], message: str, monkeypatch, capsys) -> None:
    from src.report import main

    monkeypatch.setattr("sys.argv", ["report", *words])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.startswith(message)


def test_the_command_makes_the_table_and_says_where_it_agrees(tmp_path: Path, monkeypatch, capsys) -> None:
    from src.report import main

    for seed, score in enumerate((0.55, 0.57)):
        run(
            tmp_path / "runs" / str(seed),
            seed,
            score,
            val={"score": score, "miou": score},
            **{"model/decoder": "plain"},
        )
    words = ["experiments=skips", f"runs={tmp_path / 'runs'}", f"output={tmp_path / 'out'}", "columns=[miou]"]
    monkeypatch.setattr("sys.argv", ["report", *words])
    main()
    assert "plain: val/miou 0.5600 ± 0.0141 now, 0.5823 ± 0.0017 stored: lower by 0.0223" in capsys.readouterr().out
    assert (tmp_path / "out" / "study.md").read_text().endswith("| plain | 2 | 0.5600 ± 0.0141 |\n")
    monkeypatch.setattr("sys.argv", ["report", "experiments=all", f"output={tmp_path / 'course'}"])
    main()
    assert "### skips" in (tmp_path / "course" / "README.md").read_text()
