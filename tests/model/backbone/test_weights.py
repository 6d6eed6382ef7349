"""Files of weights: what is read, what is adapted, and what is refused in which words."""

import logging
import pickle
import socket
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from src.model.backbone.weights import TIMEOUT, fetch, fit, load, read


def network(in_channels=3):
    return nn.Sequential(nn.Conv2d(in_channels, 4, 3), nn.BatchNorm2d(4))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_torch_file_is_read_wrapped_or_not(tmp_path, wrapped):
    state = {f"module.{key}": value for key, value in network().state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3} if wrapped else state, tmp_path / "a.pt")
    assert set(read(str(tmp_path / "a.pt"))) == set(network().state_dict())


def test_a_safetensors_file_is_read(tmp_path):
    save_file({"weight": torch.arange(3.0)}, tmp_path / "a.safetensors")
    assert read(str(tmp_path / "a.safetensors"))["weight"].tolist() == [0, 1, 2]


class Trap:
    def __reduce__(self):
        return (print, ("executed",))


def test_code_in_a_file_is_never_run(tmp_path, capsys):
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(ValueError, match=r"a\.pt is no file of tensors alone"):
        read(str(tmp_path / "a.pt"))
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pt", b"", "no file of tensors"),
        ("a.pth", b"\x89PNG", "no file of tensors"),
        ("a.safetensors", b"\xff" * 20, "no file of tensors"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read(str(tmp_path / name))


def test_absent_and_empty_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"b\.pt: there is no such file; give null, default or a \.pt"):
        read(str(tmp_path / "b.pt"))
    torch.save({"epoch": 3}, tmp_path / "c.pt")
    with pytest.raises(ValueError, match="holds no named tensors"):
        read(str(tmp_path / "c.pt"))


def test_default_is_torchvisions_best_by_name_and_null_is_nothing(monkeypatch):
    asked, filled = [], network()
    state = {key: torch.ones_like(value) for key, value in filled.state_dict().items()}
    monkeypatch.setattr("src.model.backbone.weights.fetch", lambda url: asked.append(url) or state)
    load(filled, None, "resnet50")
    assert asked == []
    load(filled, "default", "resnet50")
    assert asked == [models.ResNet50_Weights.IMAGENET1K_V2.url]
    assert (filled[0].weight == 1).all()


@pytest.mark.parametrize("channels", [1, 6])
def test_a_first_filter_answers_to_grey_as_before(channels):
    rgb, other = network(), network(channels)
    fit(other, rgb.state_dict(), "file")
    torch.testing.assert_close(other[0].weight.sum(1), rgb[0].weight.sum(1))


def test_a_fourth_channel_repeats_the_first_at_the_same_total_scale():
    rgb, other = network(), network(4)
    fit(other, rgb.state_dict(), "file")
    torch.testing.assert_close(other[0].weight, rgb[0].weight[:, [0, 1, 2, 0]] * 0.75)


def test_what_has_no_place_is_named_in_the_log(caplog):
    target, state = network(), {**network().state_dict(), "fc.weight": torch.ones(2, 2)}
    with caplog.at_level(logging.INFO):
        fit(target, state, "file.pt")
    assert "file.pt: 1 tensors have no place in the backbone: fc.weight" in caplog.text
    assert torch.equal(target[0].weight, state["0.weight"])


def test_missing_tensors_are_counted_and_named():
    with pytest.raises(ValueError, match=r"file.pt lacks 4 of the backbone's 6 tensors \(1.weight, .* \.\.\.\)"):
        fit(network(), {"0.weight": torch.ones(1), "0.bias": torch.ones(1)}, "file.pt")


def test_other_shapes_are_counted_and_named():
    state = {**network().state_dict(), "1.bias": torch.ones(5)}
    with pytest.raises(ValueError, match=r"file.pt: 1 tensors have another shape .*: 1.bias is \[5\] instead of \[4\]"):
        fit(network(), state, "file.pt")


def test_without_a_network_one_sentence_says_what_to_do(monkeypatch):
    def refuse(*_, **__):
        assert socket.getdefaulttimeout() == TIMEOUT
        raise URLError("no route")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    with pytest.raises(ValueError, match=r"weights=default: address cannot be fetched .*no route.* pass weights=PATH"):
        fetch("address")
    assert socket.getdefaulttimeout() is None
