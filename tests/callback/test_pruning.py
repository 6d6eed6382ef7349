import json
from pathlib import Path
from unittest.mock import Mock

import lightning as L
import optuna
import pytest
import torch
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from src.callback.pruning import Pruning
from src.run.sweep.search.journal import Journal

RULES = {"name": "hyperband", "min_epochs": 1, "epochs": 9, "reduction": 3}


def study(folder: Path, rules: dict) -> optuna.Study:
    """One trial with scores of 0.9, and one under way."""
    storage = JournalStorage(Journal(folder / "search.journal"))
    made = optuna.create_study(storage=storage, study_name="s", direction="maximize")
    made.set_user_attr("pruner", rules)
    return made


def ended(made: optuna.Study, count: int) -> int:
    """Trials that had 0.9 after every epoch, and the number of another that is under way."""
    for _ in range(count):
        trial = made.ask()
        for epoch in range(1, 10):
            trial.report(0.9, epoch)
            trial.should_prune()
        made.tell(trial, 0.9)
    return made.ask().number


def callback(folder: Path, number: int) -> Pruning:
    return Pruning(str(folder / "search.journal"), "s", number)


def trainer(epoch: int, score: float | None, rank: int = 0, told: bool | None = None) -> Mock:
    """After an epoch, counted from 1; `told` is what the first rank says to the others."""
    made = Mock(spec=L.Trainer)
    made.current_epoch, made.max_epochs, made.is_global_zero = epoch - 1, 9, rank == 0
    made.callback_metrics = {} if score is None else {"val/score": torch.tensor(score)}
    made.check_val_every_n_epoch = 1
    made.strategy = Mock()
    made.strategy.broadcast.side_effect = lambda behind: behind if told is None else told
    made.should_stop = False
    return made


def after(one: Pruning, *arguments, **options) -> bool:
    """Whether the run ends."""
    made = trainer(*arguments, **options)
    one.on_train_epoch_end(made, Mock(spec=L.LightningModule))
    assert one.pruned == made.should_stop
    return made.should_stop


@pytest.mark.parametrize("name", ["hyperband", "median"])
def test_who_is_behind_ends_and_who_leads_goes_on(tmp_path, name):
    made = study(tmp_path, {**RULES, "name": name})
    ended(made, 12)
    good, *bad = [callback(tmp_path, made.ask().number) for _ in range(6)]
    assert not any(after(good, epoch, 0.95) for epoch in range(1, 10))
    assert any(after(one, epoch, 0.1) for one in bad for epoch in range(1, 10))  # not all: hyperband spares some


def test_before_min_epochs_nobody_ends(tmp_path):
    made = study(tmp_path, {**RULES, "name": "median", "min_epochs": 3})
    one = callback(tmp_path, ended(made, 6))
    assert [after(one, epoch, 0.1) for epoch in (1, 2)] == [False, False]
    assert after(one, 3, 0.1)


def test_every_evaluation_is_told_and_the_last_one_ends_nothing(tmp_path):
    made = study(tmp_path, {**RULES, "name": "median"})
    number = ended(made, 6)
    one = callback(tmp_path, number)
    assert not after(one, 9, 0.1)
    assert not after(one, 8, None)
    assert not after(one, 7, float("nan"))
    assert made.trials[number].intermediate_values == {9: pytest.approx(0.1)}


def test_a_trial_that_is_over_or_gone_is_not_told(tmp_path):
    made = study(tmp_path, {**RULES, "name": "median"})
    number = ended(made, 6)
    made.tell(number, 0.5)
    assert not after(callback(tmp_path, number), 2, 0.1)
    assert made.trials[number].intermediate_values == {}
    assert not after(callback(tmp_path / "elsewhere", number), 2, 0.1)
    assert not (tmp_path / "elsewhere").exists()


def test_other_ranks_do_as_the_first_one_says(tmp_path):
    one = callback(tmp_path / "not read", 0)
    assert not after(one, 2, 0.1, rank=1, told=False)
    assert after(one, 2, 0.9, rank=1, told=True)


def test_alone_it_is_refused():
    with pytest.raises(ValueError, match="hyperband` adds this callback to its runs by itself"):
        Pruning()


def test_a_run_that_ends_early_says_so_and_is_the_same_run(tmp_path, run):
    made = study(tmp_path, {**RULES, "name": "median"})
    number = ended(made, 6)
    journal = tmp_path / "search.journal"
    own = f"_target_:src.callback.pruning.Pruning,journal:'{journal}',study:s,trial:{number}"
    folder = run("trainer.max_epochs=3", f"++callback.pruning={{{own}}}")
    facts = json.loads((folder / "results.json").read_text())
    assert (facts["status"], facts["epochs"], facts["val"]) == ("pruned", 1, None)
    assert facts["score"] == pytest.approx(made.trials[number].intermediate_values[1])
    assert made.trials[number].state == TrialState.RUNNING
    assert not any("pruning" in axis for axis in facts["axes"])
    from src.run import cli, resume
    from src.run.build import plain

    words = ["data.resolution=[32,48]", "data.lengths={train:8,val:4,test:2}", "data.batch_size=4", "logger=none"]
    words += ["trainer.max_epochs=3", "trainer.accelerator=cpu", "trainer.precision=32-true"]
    alone = cli.compose("train", [*words, "callback.pictures.every_n_epochs=99"])
    assert facts["identity"] == resume.identity(plain(alone))
