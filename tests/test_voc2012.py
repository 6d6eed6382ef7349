"""The recipes of experiments/voc2012*.yaml, two steps each on a few real images; the networks are narrow, for a CPU."""

import json

import pytest

from src.evaluate import evaluate
from src.run import cli

FCN = ["model.width=4", "model.fc_channels=16", "model.weights=null"]
DECONVNET = ["model.width=4", "model.fc_channels=8", "model.weights=null", "trainer.accumulate_grad_batches=1"]
ZOOMOUT = ["model.backbone.weights=null"]
HYPERCOLUMN = ["model/backbone=resnet18", "model.backbone.weights=null"]


@pytest.fixture
def train(run, shared):
    """Two steps of an experiment; its checkpoint."""

    def trained(experiment, folder, *overrides):
        words = [f"experiments={experiment}", "data=voc", f"data.root={shared / 'voc-mini'}", "data.batch_size=2"]
        limits = ["trainer.max_steps=-1", "trainer.max_epochs=1", "trainer.limit_train_batches=2"]
        path = run(*words, *limits, "trainer.limit_val_batches=1", *overrides, folder=folder)
        results = json.loads((path / "results.json").read_text())
        assert results["status"] == "finished"
        assert 0 <= results["val"]["miou"] < 1
        return path / "checkpoints" / "best.ckpt"

    return trained


@pytest.mark.long
def test_the_stages_of_fcn_and_deconvnet_and_their_product(train, shared, tmp_path, capsys):
    one = "data.batch_size=1"
    coarse = train("voc2012", "32s", *FCN, one)
    finer = train("voc2012", "16s", *FCN, one, "model=fcn16s", f"init={coarse}", "optimizer.lr=1e-12")
    assert "2 do not fit" in capsys.readouterr().out  # weight and bias of pool4's scores
    finest = train("voc2012", "8s", *FCN, one, "model=fcn8s", f"init={finer}", "optimizer.lr=1e-14")
    small = [*DECONVNET, "data.size=[64,64]"]
    first = train("voc2012_deconvnet", "stage1", *small)
    second = train("voc2012_deconvnet", "stage2", *small, "transform=proposals", f"init={first}")
    assert "0 do not fit" in capsys.readouterr().out
    words = [f"ckpt=[{second},{finest}]", "combine=product", f"output={tmp_path / 'both.json'}"]
    evaluate(cli.compose("evaluate", [*words, f"data.root={shared / 'voc-mini'}", "trainer.accelerator=cpu"]))
    assert 0 <= json.loads((tmp_path / "both.json").read_text())["miou"] < 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("experiment", "narrow"),
    [("voc2012_hypercolumn", HYPERCOLUMN), ("voc2012_zoomout", ZOOMOUT)],
)
def test_the_others(train, experiment, narrow):
    train(experiment, "run", *narrow, "data.size=[64,64]")
