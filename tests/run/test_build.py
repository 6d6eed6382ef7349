import pytest

from src.run.build import build, shipped, trusted


def test_lists_arrive_as_lists():
    assert type(build({"_target_": "torch.nn.ModuleList", "modules": None})).__name__ == "ModuleList"
    partial = build({"_target_": "torch.optim.AdamW", "_partial_": True, "betas": [0.9, 0.99]})
    assert type(partial.keywords["betas"]) is list


@pytest.mark.parametrize(
    "target", ["os.system", "torch.load", "torch.hub.load", "numpy.load", "pathlib.Path.write_text"]
)
@pytest.mark.parametrize("place", [lambda node: {"model": node}, lambda node: {"model": {"parts": [{"deep": node}]}}])
def test_a_hostile_config_is_refused_before_anything_is_built(target, place):
    with pytest.raises(ValueError, match=target):
        trusted(place({"_target_": target, "_args_": ["echo"]}))
    with pytest.raises(ValueError, match=f"allow=.{target}"):  # not even if its name is allowed
        trusted(place({"_target_": target}), allow=[target])


def test_what_is_shipped_is_trusted_and_what_is_ours_can_be_allowed():
    assert "src.loss.dice.Dice" in shipped()
    trusted({"loss": {"_target_": "src.loss.dice.Dice"}})
    with pytest.raises(ValueError, match=r"allow=\[torch.nn.CrossEntropyLoss\]"):
        trusted({"loss": {"_target_": "torch.nn.CrossEntropyLoss"}})
    trusted({"loss": {"_target_": "torch.nn.CrossEntropyLoss"}}, allow=["torch.nn.CrossEntropyLoss"])
