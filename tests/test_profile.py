"""python -m src.profile: what is printed, what is counted, and every count that is published."""

import json
import subprocess
import time

import pytest
import torch
from torch import nn

from src.profile import _page, profiled
from src.run import cli, count
from src.run.build import plain
from src.run.plugins import ROOT
from src.run.profile.cost import built, memory
from src.run.profile.published import Published, published
from src.run.profile.speed import device
from tests import warm
from tests.narrow import dense

TINY = ["model=unet_paper", "model.width=4", "size=[32,48]", "num_classes=5", "device=cpu", "precision=32-true"]


def settings(*words: str) -> dict:
    return plain(cli.compose("profile", list(words)))


@pytest.mark.parametrize("known", published(), ids=lambda known: f"{known.model}-{known.num_classes}")
def test_the_parameters_are_those_of_the_paper(known: Published):
    model = settings(f"model={known.model}")["model"]
    assert count.trainable(built(model, known.num_classes, known.channels)) == known.params


def test_fixed_kernels_are_no_parameters_and_frozen_ones_do_not_count():
    fixed, learned = (
        profiled(settings("model=fcn8s", f"model.trainable={said}", "receptive_field=false"))["params"]
        for said in ("false", "true")
    )
    assert learned - fixed == 21 * (4 * 4 + 4 * 4 + 16 * 16)
    layer = nn.Linear(3, 4)
    layer.weight.requires_grad_(False)
    assert (count.trainable(layer), count.parameters(layer)) == (4, 16)


def test_operations_count_two_for_a_multiplication_and_an_addition():
    conv = nn.Conv2d(3, 8, kernel_size=3, padding=1, device="meta").train()
    assert count.operations(conv, torch.empty(1, 3, 10, 20, device="meta")) == 2 * 3 * 8 * 9 * 10 * 20
    assert conv.training


def test_what_is_said_of_a_model_with_a_backbone_and_of_one_without():
    found = profiled(settings("num_classes=5", "channels=4", "size=[65,97]"))
    first = ("num_classes", "channels", "size", "params", "flops", "receptive_field", "reductions")
    assert tuple(found) == (*first, "batch_size", "memory_mb")
    assert found["size"] == [65, 97]
    assert found["reductions"] == [2, 4, 8, 16, 32]
    assert found["params"] == count.parameters(built(settings()["model"], 5, 4, "cpu"))
    assert profiled(settings("model=unet_paper"))["reductions"] is None
    assert profiled(settings("model=unet_paper", "receptive_field=false"))["receptive_field"] is None


def test_252_million_parameters_take_a_second_and_no_memory():
    asked = settings("model=deconvnet", "size=[224,224]")
    profiled(asked)  # imports
    start = time.process_time()
    assert profiled(asked)["params"] == 251_805_653
    assert time.process_time() - start < 5  # half a second alone on a machine
    model = built(asked["model"], 21, 3)
    assert {tensor.device.type for tensor in (*model.parameters(), *model.buffers())} == {"meta"}


def test_measured_it_says_what_for():
    found = profiled(settings(*TINY, "measure=true", "repeat=1", "batch_size=2", "receptive_field=false"))
    assert (found["batch_size"], found["device"], found["precision"]) == (2, "cpu", "32-true")
    assert found["threads"] == torch.get_num_threads()
    for group in ("memory_mb", "images_per_second"):
        assert set(found[group]) == {"inference", "training"}
    assert found["memory_mb"]["training"] > found["memory_mb"]["inference"] > 0
    assert found["images_per_second"]["inference"] > found["images_per_second"]["training"] > 0


def test_memory_grows_with_the_batch_by_what_an_image_takes():
    one, two, three = (memory(settings(*TINY)["model"], 5, 3, [32, 48], batch) for batch in (1, 2, 3))
    for kind in ("inference", "training"):
        assert one[kind] < two[kind]
        assert three[kind] - two[kind] == pytest.approx(two[kind] - one[kind], rel=0.01)


def test_a_device_that_is_not_there_is_refused():
    assert device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"device=xpux: .*; take auto or cpu"):
        device("xpux")


def test_the_page_has_a_row_for_every_model_and_a_count_for_every_source(monkeypatch):
    monkeypatch.setattr(cli, "options_of", lambda group: ["unet", "unet_paper"])
    monkeypatch.setattr("src.run.profile.published.published", lambda: (Published("unet_paper", 2, 1, 7, "nobody"),))
    text = _page(settings("size=[32,48]", "num_classes=2"), ["table=true"])
    assert "`python -m src.profile table=true`" in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == ["unet", "unet_paper"]
    assert "188 × 188" in rows[1]
    assert "| unet_paper | 2 | 1 | 7 | 31,030,658 | nobody |" in text


def test_the_page_in_the_docs_names_every_model_of_maps():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf8")
    named = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert named == set(dense("model"))
    for known in published():
        assert f"| {known.params:,} | {known.params:,} |" in text


def test_operations_of_a_detector_are_those_of_its_regions_too():
    asked = settings("model=mask_rcnn", "size=[64,64]", "num_classes=2")
    few = settings("model=mask_rcnn", "size=[64,64]", "num_classes=2", "model.rpn.after_nms=[10,10]")
    assert profiled(asked)["flops"] > 1.5 * profiled(few)["flops"]
    with pytest.raises(ValueError, match="part=detector"):
        profiled(asked | {"measure": True})


def command(*words: str, **options) -> subprocess.CompletedProcess:
    return warm.run(["src.profile", *words], cwd=ROOT, **options)


def test_the_command_prints_json_and_writes_it(tmp_path):
    done = command("model=unet_paper", "num_classes=2", "channels=1", f"output={tmp_path}/deep/cost.json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["model"], found["params"]) == ("unet_paper", 31_030_658)
    assert json.loads((tmp_path / "deep" / "cost.json").read_text()) == found


def test_mistakes_end_in_one_sentence(tmp_path):
    done = command("model=unet", "model/backbone=vit_small")
    assert (done.returncode, done.stdout) == (1, "")
    assert "model/decoder=fcn32s" in done.stderr
    assert done.stderr.count("\n") == 1
    done = command("table=true", f"output={tmp_path}/models.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"say {tmp_path}/models.md" in done.stderr
