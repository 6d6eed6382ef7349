import pytest

from src.run.check import parts

LOSS = {"_target_": "torch.nn.CrossEntropyLoss", "label_smoothing": 0.1}
DATA = {
    "_target_": "src.data.datamodule.DataModule",
    "dataset": {"_target_": "src.data.scenes.Scenes", "_partial_": True},
    "batch_size": 4,
    "rooms": 0.5,
}


def test_what_a_target_takes_is_accepted():
    parts({"loss": LOSS, "data": DATA, "seed": 0})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"loss": LOSS | {"label_smothing": 0.1}}, "loss.label_smothing: .* did you mean 'label_smoothing'"),
        ({"loss": LOSS | {"label_smoothing": "much"}}, "loss.label_smoothing='much': expected float, not str"),
        ({"loss": LOSS | {"label_smoothing": True}}, "loss.label_smoothing=True: expected float, not bool"),
        ({"loss": {"_target_": "torch.nn.CrossEntropieLoss"}}, "CrossEntropieLoss: cannot be imported"),
        ({"data": DATA | {"room": 0.5}}, "data.room: .* did you mean 'rooms'"),
        ({"data": DATA | {"rooms": "many"}}, "data.rooms='many': expected float"),
        ({"data": DATA | {"batch_size": 2.5}}, "data.batch_size=2.5: expected int, not float"),
        ({"data": DATA | {"cache": "dsk"}}, "data.cache='dsk': expected auto, memory, disk, none; did you mean 'disk'"),
        ({"data": DATA | {"cache_folder": "???"}}, "data.cache_folder=... is missing, and it has no default"),
        ({"optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": "abc"}}, "optimizer.lr='abc'"),
        ({"losses": [LOSS, LOSS | {"wieght": None}]}, r"losses\[1\].wieght: .* did you mean 'weight'"),
        ({"model": {"part": LOSS | {"reductoin": "sum"}}}, "model.part.reductoin"),
    ],
)
def test_what_it_does_not_take_is_named_with_the_nearest(config, message):
    with pytest.raises(ValueError, match=message):
        parts(config)


def test_options_that_a_class_passes_to_its_parent_are_held_against_both():
    task = {"_target_": "src.task.semantic.Semantic", "_partial_": True, "threshold": 0.5, "backbone_rate": 0.1}
    parts({"task": task})
    with pytest.raises(ValueError, match="did you mean 'backbone_rate'"):
        parts({"task": task | {"backbone_rat": 0.1}})
