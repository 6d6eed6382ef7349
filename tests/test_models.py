"""Every model of conf/model goes the whole way: trained, gone on with, evaluated, predicted with, in this process."""

import json
from pathlib import Path

import pytest
from PIL import Image

from src import evaluate, predict
from src.data.scenes import Scenes
from src.run import checkpoint
from tests.narrow import MODELS, dense

TINY = ["data.lengths={train:4,val:2,test:1}", "data.batch_size=2"]
WITH = {"sliding_window": ["transform=patch"]}


@pytest.mark.long
@pytest.mark.parametrize("name", dense("model"))
def test_a_model_goes_the_whole_way(name, run, tmp_path, monkeypatch):
    words = [f"model={name}", *MODELS.get(name, []), *WITH.get(name, []), *TINY]
    last = run(*words) / "checkpoints" / "last.ckpt"
    folder = run(*words, "trainer.max_epochs=2", f"resume={last}", folder="again")
    assert checkpoint.load(folder / "checkpoints" / "last.ckpt")["epoch"] == 1
    best = folder / "checkpoints" / "best.ckpt"

    def command(module, *options: str) -> None:
        monkeypatch.setattr("sys.argv", [module.__name__, f"ckpt={best}", "trainer.accelerator=cpu", *options])
        module.main()

    command(evaluate, f"output={tmp_path}/scores.json", "data.batch_size=2")
    found, told = json.loads((tmp_path / "scores.json").read_text()), json.loads((folder / "results.json").read_text())
    assert found["miou"] == told["val"]["miou"]
    _write(tmp_path / "photo.png", (37, 45))
    command(predict, f"input={tmp_path}/photo.png", f"output={tmp_path}/masks")
    assert Image.open(tmp_path / "masks" / "photo.png").size == (45, 37)


def _write(path: Path, size: tuple[int, int]) -> None:
    image = Scenes("val", resolution=size, lengths={"val": 1})[0].image
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
