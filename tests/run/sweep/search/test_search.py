"""With shell scripts in place of trainings."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from src.run.sweep.search.journal import Journal
from src.run.sweep.search.search import Search

LR = "lr=interval(0.0,1.0)"
FORK = multiprocessing.get_context("fork")


def search(command, *words: str, **options) -> None:
    Search(**{"trials": 4, "jobs": 1, "webhook": False, **options}).sweep(command, words)


def trials(command) -> list[optuna.trial.FrozenTrial]:
    storage = JournalStorage(Journal(command.folder / "search.journal"))
    return optuna.load_study(study_name=None, storage=storage).trials


def states(command) -> list[str]:
    return [trial.state.name for trial in trials(command)]


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.02)


def test_trials_are_run_and_the_best_is_told_with_its_command(command, capsys):
    search(command, LR, "model=unet", trials=6)
    found = trials(command)
    assert [trial.state for trial in found] == [TrialState.COMPLETE] * 6
    assert [trial.value for trial in found] == [pytest.approx(1 - (t.params["lr"] - 0.5) ** 2) for t in found]
    top = max(found, key=lambda trial: trial.value)
    (best,) = yaml.safe_load((command.folder / "best.yaml").read_text())
    assert best["trial"] == top.number + 1
    assert best["overrides"] == ["model=unet", f"lr={top.params['lr']!r}"]
    assert best["command"] == f"python -m src.train model=unet lr={top.params['lr']!r}"
    out = capsys.readouterr().out
    assert out.startswith(f"6 trials of lr in {command.folder}, all with model=unet\n")
    assert "trials: 6 finished\n" in out
    assert f"best:      {best['command']}\n" in out
    assert f"optuna-dashboard {command.folder}/search.journal" in out


def test_tpe_finds_what_random_draws_miss(command):
    search(command, LR, "loss=choice(good,pruned)", trials=30)
    late = [trial for trial in trials(command)[15:] if trial.state == TrialState.COMPLETE]
    assert len(late) > 9
    assert sorted(abs(trial.params["lr"] - 0.5) for trial in late)[len(late) // 2] < 0.2


def test_the_same_command_goes_on_and_draws_something_else(command, capsys):
    search(command, LR, sampler="random")
    search(command, LR, sampler="random", trials=7)
    assert len({trial.params["lr"] for trial in trials(command)}) == 7
    assert "going on: 4 have ended" in capsys.readouterr().out
    search(command, LR, sampler="random", trials=7)
    assert len(trials(command)) == 7


def test_the_seed_decides_what_is_drawn(command, tmp_path):
    drawn = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        command.folder = tmp_path / folder
        search(command, LR, trials=2, seed=seed)
        drawn.append([trial.params for trial in trials(command)])
    assert drawn[0] == drawn[1] != drawn[2]


def test_another_question_is_not_mixed_into_the_study(command):
    search(command, LR, trials=1)
    for words, options in (([LR, "loss=good,slow"], {}), ([LR, "x=1"], {}), ([LR], {"study": "other"})):
        with pytest.raises(ValueError, match=r"holds the study 'search'.*another hydra\.sweep\.dir"):
            search(command, *words, **options)
    with pytest.raises(ValueError, match="=false does not go on with it"):
        search(command, LR, resume=False)
    assert len(trials(command)) == 1


def test_without_a_folder_the_newest_of_the_same_search_goes_on(command):
    search(command, LR, trials=1)
    first, command.given = command.folder, False
    command.folder = first.with_name("later")
    search(command, LR, trials=2)
    assert (command.folder, len(trials(command))) == (first, 2)
    command.folder = first.with_name("later")
    search(command, LR, "x=1", trials=1)
    assert command.folder == first.with_name("later")


def test_a_grid_takes_every_combination_once(command):
    search(command, "lr=range(0.0,0.6,0.25)", sampler="grid", space={"loss": ["good", "fine"]}, trials=99)
    found = [(trial.params["lr"], trial.params["loss"]) for trial in trials(command)]
    assert sorted(found) == [(lr, loss) for lr in (0.0, 0.25, 0.5) for loss in ("fine", "good")]
    search(command, "lr=range(0.0,0.6,0.25)", sampler="grid", space={"loss": ["good", "fine"]}, trials=99)
    assert len(trials(command)) == 6
    with pytest.raises(ValueError, match=r"lr is a range without a step; give it a step, or list its values"):
        search(command, LR, sampler="grid")


def test_what_fails_is_told_and_gets_another_chance_next_time(command, capsys):
    for total in (["COMPLETE", "FAIL"], ["COMPLETE", "FAIL", "FAIL"]):
        with pytest.raises(ValueError, match="1 of 2 trials failed: they are listed above"):
            search(command, "loss=good,broken", sampler="grid")
        assert states(command) == total
    assert "2 trials of loss in" in capsys.readouterr().out


def test_failures_do_not_go_on_for_ever(command, capsys):
    with pytest.raises(ValueError, match="3 of 3 trials failed: they are listed above"):
        search(command, LR, "loss=broken", trials=3)
    assert states(command) == ["FAIL"] * 3
    out = capsys.readouterr().out
    assert "trials: 0 finished, 3 failed:" in out
    assert "exit code 3: ValueError: it is broken\n    " in out
    assert not (command.folder / "best.yaml").exists()


def test_what_cannot_work_is_refused_before_anything_starts(command):
    with pytest.raises(ValueError, match=r"(?s)loss=wrong: no such choice\n    lr=0 loss=wrong\nNothing was started"):
        search(command, LR, "loss=good,wrong")
    assert not command.folder.exists()


def test_what_cannot_work_is_left_out_on_request(command, capsys):
    search(command, LR, "loss=good,wrong", invalid="skip", sampler="random", trials=4)
    found = trials(command)
    assert sum(trial.state == TrialState.COMPLETE for trial in found) == 4
    assert {trial.params["loss"] for trial in found if trial.state == TrialState.FAIL} == {"wrong"}
    assert f"{len(found) - 4} left out, for they cannot work" in capsys.readouterr().out


def test_a_run_that_is_known_is_not_made_again(command, capsys):
    search(command, "loss=good,pruned", trials=12)
    assert sum((command.folder / f"{trial.number}_0").exists() for trial in trials(command)) == 2
    assert set(states(command)) == {"COMPLETE", "PRUNED"}
    assert "loss=pruned: pruned, score 0.8400, " in capsys.readouterr().out
    assert len(states(command)) == 12


def test_several_seeds_count_by_their_median_and_need_a_first_that_ends_well(command):
    search(command, "loss=good,pruned", sampler="grid", seeds=[0, 4, 5])
    good, pruned = sorted(trials(command), key=lambda trial: trial.params["loss"])
    assert good.value == pytest.approx(1 - 0.4**2 + 4)
    assert pruned.state == TrialState.PRUNED
    assert len(list(command.folder.glob("*/results.json"))) == 3 + 1
    (best,) = yaml.safe_load((command.folder / "best.yaml").read_text())
    assert best["command"] == "python -m src.train -m loss=good seed=0,4,5"


def test_two_objectives_end_in_a_front(command, capsys):
    search(command, "lr=0.1,0.4,0.8", sampler="grid", objectives=["score", "params"])
    best = yaml.safe_load((command.folder / "best.yaml").read_text())
    assert [(row["values"]["lr"], row["params"]) for row in best] == [("0.4", 4.0), ("0.1", 1.0)]
    assert "Pareto front" in capsys.readouterr().out


def test_a_message_tells_the_end(command, receiver, monkeypatch):
    monkeypatch.setenv("DENSE_WEBHOOK", receiver.address)
    search(command, "lr=0.5", "loss=good,fine", sampler="grid", webhook=True)
    (told,) = receiver.told
    assert told["text"] == "Search sweep: 2 trials ended, best 1 ([1] loss=good)"
    assert (told["best"], told["values"]) == ({"loss": "good"}, {"score": 1.0})


def test_a_killed_search_goes_on_with_what_was_under_way(command, capsys):
    words = [LR, "loss=slow"]
    process = FORK.Process(target=search, args=(command, *words), kwargs={"jobs": 2})
    process.start()
    for number in (0, 1):
        wait_for(command.folder / f"{number}_0/started")
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    (command.folder / "go").touch()
    assert states(command) == ["RUNNING"] * 2
    before = [trial.params for trial in trials(command)]
    search(command, *words)
    assert "going on: 0 have ended, 2 were under way" in capsys.readouterr().out
    assert states(command) == ["COMPLETE"] * 4
    assert [trial.params for trial in trials(command)][:2] == before
    counts = [len((command.folder / f"{n}_0/started").read_text().split()) for n in range(4)]
    assert counts == [2, 2, 1, 1]


def test_ctrl_c_leaves_trials_open_for_the_next_time(command):
    def interrupted() -> None:
        with pytest.raises(SystemExit) as ended:
            search(command, LR, "loss=slow")
        os._exit(ended.value.code)

    process = FORK.Process(target=interrupted)
    process.start()
    wait_for(command.folder / "0_0/started")
    os.kill(process.pid, signal.SIGINT)
    process.join(30)
    assert process.exitcode == 130
    assert states(command) == ["RUNNING"]
    (command.folder / "go").touch()
    search(command, LR, "loss=slow", trials=2)
    assert states(command) == ["COMPLETE"] * 2


def test_two_processes_share_a_study(command):
    words = [LR, "loss=slow"]
    processes = [FORK.Process(target=search, args=(command, *words), kwargs={"trials": 9}) for _ in range(2)]
    for process in processes:
        process.start()
    for number in (0, 1):
        wait_for(command.folder / f"{number}_0/started")
    (command.folder / "go").touch()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    found = trials(command)
    assert [trial.state for trial in found] == [TrialState.COMPLETE] * 9
    assert {trial.user_attrs["crew"] for trial in found} == {0, 1}
    assert len({trial.params["lr"] for trial in found}) == 9
    assert {(command.folder / f"{n}_0/started").read_text() for n in range(9)} == {"x\n"}


def test_half_a_line_in_the_journal_is_dropped(command):
    search(command, LR, trials=2)
    journal = command.folder / "search.journal"
    with journal.open("a") as file:
        file.write('{"op_code":4,"wor')
    search(command, LR, trials=3)
    assert states(command) == ["COMPLETE"] * 3
    assert all(json.loads(line) for line in journal.read_text().splitlines())


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ([], {}, "there is nothing to search; list values"),
        ([LR, "seed=0,1"], {}, "seed: a search would choose the luckiest one; sweep.seeds="),
        ([LR], {"space": {"seed": [0, 1]}}, "seed: a search would choose the luckiest one"),
        ([LR], {"space": "lr"}, "sweep.space=lr: expected keys of the config"),
        ([LR, "sweep.space.x=1,2"], {}, "what is to be searched is said without sweep.space"),
        ([LR, "seed=3"], {"seeds": [0, 1]}, r"seed=3 and sweep.seeds=\[0, 1\]: say one of them"),
        ([LR, "sweep.jobs=1,2"], {}, "sweep.jobs=1,2: is said of the sweep as a whole"),
        ([LR], {"study": "a b"}, "sweep.study='a b': a name of letters"),
        ([LR], {"seeds": []}, r"sweep.seeds=\[\]: name one at least"),
        ([LR], {"pruner": "median", "objectives": ["score", "params"]}, "say sweep.pruner=none"),
        ([LR], {"pruner": "hyperband", "min_epochs": 9}, "sweep.min_epochs=9 of trainer.max_epochs=9"),
        ([LR], {"objectives": ["scoer"]}, "no 'scoer'; did you mean 'score'?"),
        ([LR], {"objectives": ["test/miou"]}, "never used for a choice"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(command, words, options, said):
    with pytest.raises(ValueError, match=said):
        search(command, *words, **options)
    assert not command.folder.exists()


def test_an_absent_library_is_told_with_what_brings_it(command, monkeypatch):
    monkeypatch.setattr("src.run.sweep.search.search.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"optuna is not installed: pip install 'optuna>=4\.9,<6'"):
        search(command, LR)


def test_another_launcher_is_refused(command):
    command.launcher = object()
    with pytest.raises(ValueError, match="start the same command on as many machines as you like"):
        search(command, LR)
