"""Each task end to end: from a dataset to scores, a checkpoint and pictures in a run folder."""

import csv
import json

import pytest
import torch
import yaml
from PIL import Image

from src.run import checkpoint
from src.run.restore import restored

GOLDEN = [2.4409, 2.2066, 1.9961, 1.8479, 1.8006]  # mean loss of each of five epochs of four steps


def results(folder):
    return json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One finished run, looked at by several tests."""
    from tests.conftest import trainer

    return trainer(tmp_path_factory.mktemp("trained"))("loss=cross_entropy_dice", "trainer.max_epochs=2")


def test_a_run_folder_holds_all_that_the_run_was(trained):
    found = results(trained)
    assert found["status"] == "finished"
    assert (found["model"], found["loss"], found["data"]) == ("unet", "cross_entropy_dice", "scenes")
    assert (found["backbone"], found["decoder"], found["upsample"]) == ("resnet18", "unet", "bilinear")
    assert found["epochs"] == 2
    assert found["params"] > 1e6
    assert found["flops_per_image"] > 1e6
    assert found["images_per_second"] > 0
    assert found["axes"]["trainer.max_epochs"] == 2
    assert 0 <= found["score"] <= 1
    assert found["val"]["miou"] == pytest.approx(found["score"], abs=1e-6)
    assert set(found["val"]) == set(found["test"])
    assert "iou/sphere" in found["test"]
    config = yaml.safe_load((trained / "config.yaml").read_text())
    assert config["loss"]["_target_"] == "src.loss.weighted_sum.WeightedSum"
    rows = list(csv.DictReader((trained / "metrics.csv").open()))
    assert [int(row["epoch"]) for row in rows] == [0, 1]
    assert float(rows[1]["train/loss"]) > 0
    for name in ("cross_entropy", "dice"):
        assert float(rows[1][f"train/{name}"]) > 0
    for name in ("val", "test", "curves", "confusion", "val_002"):
        assert Image.open(trained / "pictures" / f"{name}.png").width > 100


def test_a_checkpoint_is_enough_to_have_the_task_again(trained):
    task, config = restored(trained / "checkpoints" / "best.ckpt")
    assert config["model"]["_target_"] == "src.model.encoder_decoder.EncoderDecoder"
    assert not task.training
    assert task.description.classes[-1] == "cone"


@pytest.mark.parametrize("description", [None, [], {"classes": 3}, {"fields": ["image"], "unheard": 1}])
def test_a_description_that_is_none_is_refused(trained, tmp_path, description):
    contents = checkpoint.load(trained / "checkpoints" / "best.ckpt")
    torch.save({**contents, "description": description}, tmp_path / "odd.ckpt")
    with pytest.raises(ValueError, match=r"odd\.ckpt: its description of the dataset cannot be read"):
        restored(tmp_path / "odd.ckpt")


def test_the_same_seed_gives_the_same_run_and_another_seed_another(run):
    first, second = run(folder="a"), run(folder="b")
    third = run("seed=1", folder="c")
    weights = [checkpoint.load(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in (first, second, third)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert any(not torch.equal(weights[0][key], weights[2][key]) for key in weights[0])
    assert results(first)["test"] == results(second)["test"]


@pytest.mark.parametrize("resume", ["auto", "checkpoints/last.ckpt"])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(run, resume):
    whole = run("trainer.max_epochs=3", "scheduler=constant", folder="whole")
    part = run("trainer.max_epochs=2", "scheduler=constant", folder="part")
    path = "auto" if resume == "auto" else part / resume
    again = run("trainer.max_epochs=3", "scheduler=constant", f"resume={path}", folder="part")
    weights = [checkpoint.load(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in (whole, again)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    rows = list(csv.DictReader((again / "metrics.csv").open()))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]


def test_resume_says_what_it_does_when_there_is_nothing_to_resume(run, capsys, tmp_path):
    run("resume=auto", "trainer.limit_train_batches=1")
    assert "starting a new run" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"resume=.*none\.ckpt: there is no such checkpoint"):
        run(f"resume={tmp_path}/none.ckpt")


def test_weights_of_another_model_are_refused_for_resume_and_listed_for_init(trained, run, capsys):
    path = trained / "checkpoints" / "last.ckpt"
    other = "model.decoder.widths=[64,64,32,16,16]"
    with pytest.raises(ValueError, match=r"another model \(\d+ keys differ\)(.|\n)*in the file"):
        run(f"resume={path}", other, folder="a")
    assert results(trained.parent.parent / trained.parent.name / trained.name)["status"] == "finished"
    run(f"init={path}", other, folder="b")
    said = capsys.readouterr().out
    assert "do not fit" in said
    assert "decoder." in said
    assert "backbone." not in said.partition("do not fit")[2].partition("\n\n")[0].split("task")[0]


def test_an_average_of_the_weights_is_what_is_evaluated_and_saved(run):
    folder = run("callback=[default,ema]", "callback.ema.decay=0.5")
    contents = checkpoint.load(folder / "checkpoints" / "last.ckpt")
    key = next(key for key in contents["state_dict"] if key.endswith("weight"))
    assert not torch.equal(contents["state_dict"][key], contents["current_model_state"][key])
    assert results(folder)["val"]["miou"] == pytest.approx(results(folder)["score"], abs=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        ["trainer.precision=bf16-mixed", "task.channels_last=false"],
        ["trainer.accumulate_grad_batches=2", "trainer.gradient_clip_val=0.1"],
        ["trainer.gradient_clip_val=0.1", "trainer.precision=bf16-mixed", "optimizer.fused=true"],
        ["task.freeze=[backbone]", "optimizer=sgd"],
        ["task.backbone_rate=0.1", "scheduler=poly"],
        ["scheduler=step", "data.size=[16,32]", "transform=strong"],
        ["loss=weighted_cross_entropy", "loss.weights=inverse"],
    ],
    ids=lambda options: options[0],
)
def test_what_a_config_value_switches_on_runs(run, options):
    assert results(run(*options))["status"] == "finished"


def test_a_failed_run_says_so(run, tmp_path):
    with pytest.raises(ValueError, match="no part"):
        run("task.freeze=[bakbone]")
    assert results(tmp_path / "run")["status"] == "failed"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("+loss.smoth=1", r"loss\.smoth: .* did you mean 'smooth'"),
        ("optimizer.lr=abc", r"optimizer\.lr='abc': expected"),
        ("data.batch_size=0", r"batch_size=0.*at least 1"),
        ("data.batch_size=9", r"8 samples, fewer than data.batch_size=9"),
        ("data.lengths={train:0,val:1,test:1}", r"'train' has no scenes"),
        ("task.multilabel=true", r"task.multilabel=True, but the dataset has one class per pixel"),
        ("task.freeze=[bakbone]", r"no part 'bakbone'; it has \['backbone'"),
        ("scheduler.warmup=1.5", r"scheduler.warmup=1.5"),
    ],
)
def test_a_mistake_is_told_before_training(run, option, message):
    with pytest.raises(ValueError, match=message):
        run("loss=dice", option)


def test_a_split_that_is_absent_is_said_and_not_scored(run, capsys):
    folder = run("data.lengths.test=0")
    assert results(folder)["test"] is None
    assert "test is not evaluated" in capsys.readouterr().out


@pytest.mark.long
def test_a_compiled_model_trains_and_loads(run):
    folder = run("task.compile=true")
    assert results(folder)["status"] == "finished"
    restored(folder / "checkpoints" / "best.ckpt")


def fails_with(monkeypatch, error, step):
    from src.task.task import Task

    original = Task.training_step

    def failing(self, batch, index):
        if self.trainer.global_step == step:
            raise error
        return original(self, batch, index)

    monkeypatch.setattr(Task, "training_step", failing)


def test_out_of_memory_says_what_to_lower_and_keeps_what_was_saved(run, monkeypatch, tmp_path):
    """FAULTS C9."""
    fails_with(monkeypatch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), step=3)
    with pytest.raises(ValueError, match=r"out of memory in step 3\..*data.batch_size=2.*data.size") as raised:
        run("model=unet_paper", "model.width=2", "trainer.max_epochs=2")
    assert str(tmp_path / "run" / "checkpoints") in str(raised.value)
    assert checkpoint.load(tmp_path / "run" / "checkpoints" / "last.ckpt")["epoch"] == 0
    assert results(tmp_path / "run")["status"] == "failed"


def test_an_operation_without_a_deterministic_form_is_named_with_its_model(run, monkeypatch):
    """FAULTS C8; what torch says on a GPU."""
    said = "upsample_bilinear2d_backward_out_cuda does not have a deterministic implementation, but you set ..."
    fails_with(monkeypatch, RuntimeError(said), step=0)
    with pytest.raises(ValueError, match="upsample_bilinear2d_backward_out_cuda, which Unet or its loss needs"):
        run("model=unet_paper", "model.width=2", "trainer.deterministic=true")


def test_another_error_stays_what_it_is(run, monkeypatch):
    fails_with(monkeypatch, RuntimeError("something else"), step=0)
    with pytest.raises(RuntimeError, match="something else"):
        run("model=unet_paper", "model.width=2")


def test_twenty_steps_give_the_known_losses(run):
    """FAULTS C8: to 1e-2, whatever the machine and the versions."""
    options = ["model=unet_paper", "model.width=4", "model.dropout=0.0", "optimizer=sgd", "scheduler=constant"]
    folder = run(*options, "data.batch_size=2", "trainer.max_epochs=5", "transform=none", "optimizer.lr=0.1")
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    assert [float(row["train/loss"]) for row in rows] == pytest.approx(GOLDEN, abs=1e-2)


def test_a_run_that_ends_before_its_first_evaluation_is_scored_all_the_same(run):
    folder = run("trainer.max_steps=1", "model=unet_paper", "model.width=2")
    result = json.loads((folder / "results.json").read_text())
    assert result["status"] == "finished"
    assert 0 <= result["val"]["miou"] <= 1


def test_epochs_without_an_evaluation_say_nothing_of_it(run, recwarn):
    folder = run("trainer.max_epochs=2", "trainer.check_val_every_n_epoch=2", "model=unet_paper", "model.width=2")
    assert not [warning for warning in recwarn if "could not find the monitored key" in str(warning.message)]
    assert (folder / "checkpoints" / "best.ckpt").is_file()
