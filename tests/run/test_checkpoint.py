import pickle

import pytest
import torch
from torch import nn

from src.run import checkpoint


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (self.marker, "w"))


def test_a_hostile_file_runs_nothing(tmp_path):
    marker = tmp_path / "marker"
    torch.save({"state_dict": {}, "config": Evil(str(marker))}, tmp_path / "evil.ckpt")
    with pytest.raises(ValueError, match=r"evil\.ckpt: not a checkpoint that can be loaded safely"):
        checkpoint.load(tmp_path / "evil.ckpt")
    assert not marker.exists()


@pytest.mark.parametrize("damage", ["empty", "half", "garbage", "pickle"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"weight": torch.zeros(1000)}}, path)
    whole = path.read_bytes()
    content = {"empty": b"", "half": whole[: len(whole) // 2], "garbage": b"<html>" * 99, "pickle": pickle.dumps({})}
    path.write_bytes(content[damage])
    with pytest.raises(ValueError, match=r"last\.ckpt: "):
        checkpoint.load(path)


def test_a_missing_file_is_told_with_what_is_there(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "best.ckpt")
    with pytest.raises(ValueError, match=r"none\.ckpt: there is no such checkpoint; there are: best\.ckpt"):
        checkpoint.load(tmp_path / "none.ckpt")


def test_what_does_not_fit_is_listed_with_shapes(tmp_path):
    stored = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)).state_dict()
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(2, 2), nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"4 keys differ(.|\n)*0\.weight: \(2, 3\) in the file, \(4, 3\) in the model"):
        checkpoint.load_weights(module, tmp_path / "x.ckpt", stored)
    left = checkpoint.take(module, stored)
    assert torch.equal(module[1].weight, stored["1.weight"])
    assert "2.weight: missing in the file" in left
    assert len(left) == 4
