import json

import pytest

from src.run.result import axes, kept


def test_axes_are_every_choice_and_every_override_but_paths():
    choices = {"model": "unet", "loss": "dice", "model/backbone": "resnet18", "hydra/launcher": "processes"}
    overrides = ["loss=dice", "data.root=/somewhere", "optimizer.lr=0.01", "+task.metrics={a:1}", "optimizer.lr=0.1"]
    overrides += ["loss@loss.depth=berhu"]
    assert axes(choices, overrides) == {
        "model": "unet",
        "loss": "dice",
        "model/backbone": "resnet18",
        "optimizer.lr": 0.1,
        "loss.depth": "berhu",
        "task.metrics": {"a": 1},
    }


def test_results_say_running_until_the_end_and_failed_when_it_raised(tmp_path):
    def written():
        return json.loads((tmp_path / "results.json").read_text())

    facts = {"status": "running", "score": float("nan")}
    with kept(tmp_path, facts):
        assert written() == {"status": "running", "score": None}
        facts["status"] = "finished"
    assert written()["status"] == "finished"
    with pytest.raises(RuntimeError), kept(tmp_path, facts):
        raise RuntimeError
    assert written()["status"] == "failed"
    assert written()["seconds"] >= 0


def test_only_the_first_rank_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with kept(tmp_path, {"status": "running"}):
        pass
    assert not (tmp_path / "results.json").exists()
