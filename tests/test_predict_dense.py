"""Depth, normals, colours and other numbers as files, through the commands' own entry points."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from src import predict as command
from src.data.depth_file import depth
from src.data.folder import Folder
from src.data.lab import lab
from src.data.scenes import Scenes
from src.evaluate import evaluate
from src.metric.depth import SCORES as DEPTHS
from src.metric.depth import Depth
from src.run import cli
from src.run.build import build, plain
from src.run.check import check
from src.run.inference.field.color import colored
from src.run.restore import assembled
from src.score import score

SIZE = (32, 48)
MODEL = "torch.nn.Conv2d"
Predict = Callable[..., Path]


def checkpoint(path: Path, task: str, *overrides: str, seed: int = 0) -> Path:
    """A run's best.ckpt as src.train would have left it, around one convolution with random weights."""
    words = [f"task={task}", f"data.resolution={list(SIZE)}", "data.lengths={train: 1, val: 2}", "data.cache=none"]
    config = plain(cli.compose("train", [*words, "trainer.precision=32-true", *overrides]))
    if task != "joint":
        config["model"] = {"_target_": MODEL, "_partial_": True, "kernel_size": 5, "padding": 2}
    data = build(config["data"], transform=build(config["transform"]), fields=("image",))
    torch.manual_seed(seed)
    content = {"config": config, "description": data.description.plain()}
    torch.save(content | {"state_dict": assembled(config, data.description).state_dict()}, path)
    return path


def joint(path: Path, *overrides: str) -> Path:
    small = ["model.backbone.weights=null", "model.decoder.widths=[8,8,8,8,8]"]
    return checkpoint(path, "joint", *small, *overrides)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four photos of two sizes, one grey, one in a folder, one that is displayed turned."""
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    rng = np.random.default_rng(0)
    ramp = np.linspace(30, 220, 48)[None, :, None] + np.linspace(-20, 20, 32)[:, None, None] * np.ones(3)
    for name, array in (("a", ramp + rng.normal(0, 9, (32, 48, 3))), ("sub/b", ramp[:20, :36] + [20, 0, -20])):
        Image.fromarray(array.clip(0, 255).astype(np.uint8)).save(tmp_path / f"photos/{name}.png")
    Image.fromarray(ramp[..., 0].clip(0, 255).astype(np.uint8)).save(tmp_path / "photos/grey.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(ramp.transpose(1, 0, 2).clip(0, 255).astype(np.uint8)).save(tmp_path / "photos/t.jpg", exif=exif)
    return tmp_path / "photos"


@pytest.fixture
def predict(tmp_path: Path, photos: Path) -> Predict:
    """Runs the command on photos/; the folder of its outputs."""

    def run(ckpt: Path | str, *overrides: str, output: str = "out") -> Path:
        words = [f"ckpt={ckpt}", f"input={photos}", f"output={tmp_path / output}", f"allow=[{MODEL}]"]
        config = cli.compose("predict", [*words, "trainer.accelerator=cpu", *overrides])
        check(plain(config), "predict")
        command.predict(config)
        return tmp_path / output

    return run


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def of(kind: str, suffix: str) -> list[str]:
    return [f"{kind}/{name}.{suffix}" for name in ("a", "grey", "sub/b", "t")]


def record(folder: Path, name: str = "a") -> dict:
    return json.loads((folder / "results" / f"{name}.json").read_text())


def test_depth_is_written_in_16_bits_in_metres_and_in_colours(tmp_path, predict, capsys):
    out = predict(checkpoint(tmp_path / "c.ckpt", "depth"), "npy=true", "depth_scale=256")
    kinds = [of("depth", "png"), of("depth_colored", "jpg"), of("depth_npy", "npy"), of("overlays", "jpg")]
    assert files(out) == sorted(
        [*(name for kind in kinds for name in kind), *of("results", "json"), "predictions.json"]
    )
    for name, size in (("a", SIZE), ("sub/b", (20, 36)), ("t", SIZE)):
        metres, read = np.load(out / f"depth_npy/{name}.npy"), depth(out / f"depth/{name}.png", 256)[0].numpy()
        assert metres.shape == size
        assert np.abs(metres - read).max() <= 0.5001 / 256
        assert np.ptp(metres) > 20 / 256, "a depth that is the same everywhere would prove little"
    said = record(out)
    assert said["depth"]["scale"] == 256
    assert said["depth"]["beyond"] == 0
    metres = np.load(out / "depth_npy/a.npy")
    assert (said["depth"]["nearest"], said["depth"]["farthest"]) == (float(metres.min()), float(metres.max()))
    with Image.open(out / "depth/a.png") as picture:
        assert picture.info["depth_scale"] == "256"
    index = json.loads((out / "predictions.json").read_text())
    assert index["made_with"]["depth_scale"] == 256
    assert index["files"][0]["depth"] == said["depth"]
    colors = np.array(Image.open(out / "depth_colored/a.jpg")).astype(int)
    places = [np.unravel_index(place, SIZE) for place in (metres.argmin(), metres.argmax())]
    assert colors[places[0]].sum() < colors[places[1]].sum() - 150, "from dark violet to yellow"
    assert "16 bits" not in capsys.readouterr().out


def test_depth_that_does_not_fit_is_cut_and_said(tmp_path, predict, capsys):
    out = predict(checkpoint(tmp_path / "c.ckpt", "depth"), "depth_scale=60000", "overlay=false")
    values = np.array(Image.open(out / "depth/a.png"))
    beyond = record(out)["depth"]["beyond"]
    assert 0 < beyond <= np.count_nonzero(values == 65535) < values.size
    assert "say a smaller depth_scale" in capsys.readouterr().out
    assert not (out / "overlays").exists()


@pytest.mark.parametrize("camera", ["focal=40", "field_of_view=61.92751306"])
def test_a_point_cloud_projects_back_onto_its_pixels(tmp_path, predict, photos, camera):
    out = predict(checkpoint(tmp_path / "c.ckpt", "depth"), "points=true", "npy=true", camera)
    head, _, body = (out / "points/a.ply").read_bytes().partition(b"end_header\n")
    assert b"format binary_little_endian 1.0\n" in head
    assert f"element vertex {32 * 48}\n".encode() in head
    points = np.frombuffer(body, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "u1", 3)])
    rows, columns = np.indices(SIZE).reshape(2, -1)
    np.testing.assert_array_equal(points["z"], np.load(out / "depth_npy/a.npy").ravel())
    np.testing.assert_allclose(points["x"] / points["z"] * 40 + 23.5, columns, atol=1e-3)
    np.testing.assert_allclose(points["y"] / points["z"] * 40 + 15.5, rows, atol=1e-3)
    np.testing.assert_array_equal(points["rgb"], np.array(Image.open(photos / "a.png")).reshape(-1, 3))


def test_normals_are_read_again_as_a_dataset(tmp_path, predict, photos):
    path = checkpoint(tmp_path / "c.ckpt", "normals")
    content = torch.load(path)
    content["state_dict"]["model.bias"] = torch.tensor([0.1, 0.2, -1.5])  # towards the camera, as of any surface
    torch.save(content, path)
    out = predict(path, "npy=true")
    (tmp_path / "set").mkdir()
    shutil.copytree(photos, tmp_path / "set/images")
    for part in ("normals", "normals_npy"):
        shutil.copytree(out / part, tmp_path / "set" / part)
    for part, atol in (("normals", 0.009), ("normals_npy", 1e-6)):
        data = Folder(tmp_path / "set", "train", masks=None, normals=part, val_fraction=0.0)
        for index in range(len(data)):
            found = data[index].normals.numpy()
            unit = np.load(out / f"normals_npy/{data.name(index)}.npy").transpose(2, 0, 1)
            np.testing.assert_allclose(np.linalg.norm(unit, axis=0), 1, atol=1e-5)
            np.testing.assert_allclose(found, unit, atol=atol)
    assert len(data) == 4


def test_a_photo_gets_colours_and_keeps_its_lightness(tmp_path, predict, photos):
    out = predict(checkpoint(tmp_path / "c.ckpt", "colorization", "data.size=[16,24]"))
    for name in ("a.png", "sub/b.png", "grey.png"):
        given = np.array(Image.open(photos / name).convert("RGB"))
        made = np.array(Image.open(out / "color" / name))
        assert given.shape == made.shape
        both = [lab(torch.from_numpy(array).permute(2, 0, 1) / 255) for array in (given, made)]
        assert (both[0][0] - both[1][0]).abs().max() < 0.5, "a grey level is 0.4 of lightness"
        assert both[1][1:].abs().mean() > 2, "a grey answer would prove little"


def test_a_colour_that_srgb_lacks_becomes_its_most_vivid_neighbour():
    lightness = torch.full((1, 2, 3), 50.0)
    wanted = torch.tensor([[[0.0, 20, 200], [60, -90, 5]], [[0.0, -20, 0], [90, 0, -5]]])
    found = lab(colored(lightness, wanted))
    torch.testing.assert_close(found[:1], lightness, atol=0.05, rtol=0)
    torch.testing.assert_close(found[1:, 0, :2], wanted[:, 0, :2], atol=0.05, rtol=0)
    assert 75 < found[1, 0, 2] < 200, "as red as it gets, not grey"
    turned = torch.atan2(found[2], found[1]) - torch.atan2(wanted[1], wanted[0])
    assert turned[1].abs().max() < 0.02, "the hue stays"


def test_a_float_field_is_an_array_and_a_picture(tmp_path, predict):
    path = checkpoint(tmp_path / "c.ckpt", "regression", "task.field=shading")
    out = predict(path)
    assert files(out)[:4] == of("overlays", "jpg")
    assert {name.split("/")[0] for name in files(out)[4:]} == {
        "predictions.json",
        "results",
        "shading",
        "shading_colored",
    }
    assert np.load(out / "shading/sub/b.npy").shape == (20, 36, 3)
    weights = torch.load(path)["state_dict"]
    image = torch.from_numpy(np.array(Image.open(tmp_path / "photos/a.png"))).permute(2, 0, 1)[None] / 255
    expected = F.conv2d(image, weights["model.weight"], weights["model.bias"], padding=2)[0].permute(1, 2, 0)
    torch.testing.assert_close(torch.from_numpy(np.load(out / "shading/a.npy")), expected, atol=1e-5, rtol=1e-4)
    assert record(out)["shading"]["highest"] == pytest.approx(expected.max().item(), abs=1e-5)


def test_several_fields_lie_side_by_side(tmp_path, predict):
    path = joint(tmp_path / "c.ckpt", "task.fields=[mask,depth,normals,color]")
    out = predict(path, "points=true", "focal=40", "mirror=true")
    kinds = {name.split("/")[0] for name in files(out)}
    fields = {"mask", "depth", "normals", "color", "depth_colored", "points"}
    assert kinds == fields | {"overlays", "results", "predictions.json"}
    sizes = {kind: Image.open(out / f"{kind}/sub/b.png").size for kind in ("mask", "depth", "normals", "color")}
    assert set(sizes.values()) == {(36, 20)}
    assert Image.open(out / "overlays/sub/b.jpg").size == (36, 5 * 20)


@pytest.mark.parametrize("task", ["depth", "normals", "regression"])
@pytest.mark.parametrize("words", [("tile=16", "overlap=0.5"), ("tile_above=600",)])
def test_tiles_of_a_network_that_sees_one_pixel_give_what_the_whole_gives(tmp_path, predict, monkeypatch, task, words):
    monkeypatch.setattr("src.run.inference.predictor._TILE", 16)
    path = checkpoint(tmp_path / "c.ckpt", task)
    content = torch.load(path)
    weight = content["state_dict"]["model.weight"]
    weight[:, :, [0, 1, 3, 4]] = 0
    weight[:, :, :, [0, 1, 3, 4]] = 0
    torch.save(content, path)
    whole, tiled = predict(path, "npy=true"), predict(path, "npy=true", *words, output="tiled")
    kind = "albedo" if task == "regression" else f"{task}_npy"
    for name in of(kind, "npy"):
        np.testing.assert_allclose(np.load(tiled / name), np.load(whole / name), atol=2e-5)


def test_a_mirrored_image_has_mirrored_normals(tmp_path, predict, photos):
    path = checkpoint(tmp_path / "c.ckpt", "normals")
    plain_, both = predict(path, "npy=true", output="plain"), predict(path, "npy=true", "mirror=true", output="both")
    for name in ("a.png", "grey.png", "sub/b.png"):
        Image.open(photos / name).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(photos / name)
    behind = predict(path, "npy=true", output="behind")
    for name in ("a", "sub/b"):
        one, other, mean = (np.load(folder / f"normals_npy/{name}.npy") for folder in (plain_, behind, both))
        total = one + other[:, ::-1] * np.float32([-1, 1, 1])
        np.testing.assert_allclose(mean, total / np.linalg.norm(total, axis=2, keepdims=True), atol=1e-4)


def test_several_networks_answer_with_their_mean(tmp_path, predict):
    paths = [checkpoint(tmp_path / f"{seed}.ckpt", "depth", seed=seed) for seed in (0, 1)]
    one, other = (np.load(predict(path, "npy=true", output=path.stem) / "depth_npy/a.npy") for path in paths)
    both = np.load(predict(f"[{paths[0]},{paths[1]}]", "npy=true") / "depth_npy/a.npy")
    np.testing.assert_allclose(both, np.sqrt(one * other), rtol=1e-5)  # the mean of log-depth
    assert np.abs(one / other - 1).max() > 0.1


def test_a_second_command_goes_on_and_writes_nothing_anew(tmp_path, predict, photos, capsys):
    path = checkpoint(tmp_path / "c.ckpt", "depth")
    out = predict(path)
    before = {name: (out / name).stat().st_mtime_ns for name in files(out) if name != "predictions.json"}
    (out / "depth/t.png").unlink()
    predict(path)
    assert "3 of 4 are there already" in capsys.readouterr().out
    after = {name: (out / name).stat().st_mtime_ns for name in before}
    assert {name for name in before if after[name] != before[name]} == {
        *("depth/t.png", "depth_colored/t.jpg", "overlays/t.jpg", "results/t.json")
    }
    (out / "depth/grey.png").write_bytes((photos / "grey.png").read_bytes())
    with pytest.raises(ValueError, match=r"grey\.png is there and not a prediction"):
        predict(path)


@pytest.mark.parametrize(
    ("task", "words", "said"),
    [
        (
            "depth",
            ["probabilities=true"],
            "probabilities=True: the checkpoint gives numbers, and this is of class maps",
        ),
        ("depth", ["one_hot=true"], "one_hot=True: the checkpoint gives numbers"),
        ("depth", ["objects=true"], "objects=True: the checkpoint gives numbers"),
        ("depth", ["min_object=5"], "min_object=5: the checkpoint gives numbers"),
        ("depth", ["crops=true"], "crops=True: the checkpoint makes maps"),
        ("depth", ["points=true"], "points in space need the camera, and nothing is said of it"),
        ("depth", ["points=true", "focal=5", "field_of_view=60"], "and both are said of it"),
        ("depth", ["focal=5"], "focal=5: the camera is needed for a point cloud alone"),
        ("depth", ["depth_scale=0"], "depth_scale"),
        ("normals", ["points=true", "focal=5"], "which the checkpoint does not give"),
        ("semantic", ["npy=true"], "npy=True: the checkpoint makes class maps, and this is of depth"),
        ("semantic", ["depth_scale=256"], "depth_scale=256: the checkpoint makes class maps"),
    ],
)
def test_options_of_another_kind_are_refused(tmp_path, predict, task, words, said):
    with pytest.raises(ValueError, match=said):
        predict(checkpoint(tmp_path / "c.ckpt", task), *words)


@pytest.mark.parametrize(
    ("tasks", "words", "said"),
    [
        ((("depth",), ("normals",)), [], "number 1 was made for depth, number 2 for normals"),
        ((("depth",), ("semantic",)), [], "number 1 was made for depth, number 2 for semantic"),
        ((("depth",), ("depth", "loss=l1", "task.measure=metres")), [], "task.measure log, number 2 for metres"),
        ((("regression",), ("regression", "task.field=shading")), [], r"fields \['albedo'\], number 2"),
        ((("depth",), ("depth",)), ["combine=vote"], "combine=vote: numbers of several checkpoints are averaged"),
    ],
)
def test_checkpoints_that_do_not_belong_together_are_refused(tmp_path, predict, tasks, words, said):
    paths = [checkpoint(tmp_path / f"{number}.ckpt", *one) for number, one in enumerate(tasks)]
    with pytest.raises(ValueError, match=said):
        predict(f"[{paths[0]},{paths[1]}]", *words)


def whole(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)


def test_depths_of_other_scales_and_files_that_miss_each_other(tmp_path):
    for name, metres in (("a", 2.0), ("b", 4.0)):
        whole(tmp_path / f"truth/{name}.npy", np.array([[metres, 0]], np.float32))
        (tmp_path / "made").mkdir(exist_ok=True)
        Image.fromarray(np.array([[metres * 256, 9]], np.uint16)).save(tmp_path / f"made/{name}.png")
    words = [f"prediction={tmp_path / 'made'}", f"target={tmp_path / 'truth'}"]
    assert score(cli.compose("score", [*words, "depth_scale=[256,1000]"])) == 1
    assert score(cli.compose("score", [*words, "depth_scale=128"])) == 0
    assert score(cli.compose("score", [*words, "depth_scale=128", "align=median"])) == 1
    whole(tmp_path / "truth/a.npy", np.ones((2, 2), np.float32))
    (tmp_path / "made/b.png").unlink()
    with pytest.raises(ValueError, match=r"(?s)2 problems.*no prediction for .*b\.npy.*a\.png is 1x2 .*a\.npy is 2x2"):
        score(cli.compose("score", [*words, "depth_scale=256"]))
    with pytest.raises(ValueError, match="num_classes=3: is about masks"):
        score(cli.compose("score", [*words, "depth_scale=256", "num_classes=3"]))


def evaluated(path: Path, output: Path, *words: str) -> dict:
    words = [f"ckpt={path}", f"output={output}", "pictures=0", "trainer.accelerator=cpu", f"allow=[{MODEL}]", *words]
    evaluate(cli.compose("evaluate", words))
    return json.loads(output.read_text())


def test_what_is_trained_evaluated_and_predicted_is_one(run, tmp_path, predict):
    folder = run("task=depth", "model=unet_groupnorm", "model.decoder.widths=[8,8,8,8,8]")
    result = json.loads((folder / "results.json").read_text())
    path = folder / "checkpoints/best.ckpt"
    found = evaluated(path, tmp_path / "scores.json", "split=test")
    assert {key: found[key] for key in result["test"]} == pytest.approx(result["test"], nan_ok=True)
    scenes = Scenes("test", resolution=(32, 48), lengths={"train": 8, "val": 4, "test": 2})
    (tmp_path / "scenes").mkdir()
    for index in range(2):
        Image.fromarray(scenes[index].image.permute(1, 2, 0).numpy()).save(tmp_path / f"scenes/{index}.png")
    out = predict(path, f"input={tmp_path / 'scenes'}", "npy=true")
    metric = Depth()
    for index in range(2):
        metric.update(torch.from_numpy(np.load(out / f"depth_npy/{index}.npy"))[None, None], scenes[index].depth[None])
        whole(tmp_path / f"truth/{index}.npy", scenes[index].depth[0].numpy())
    assert metric.compute()["abs_rel"].item() == pytest.approx(found["abs_rel"], rel=1e-5)
    words = [f"target={tmp_path / 'truth'}", "depth_scale=1000", f"output={tmp_path / 'score.json'}"]
    delta = score(cli.compose("score", [f"prediction={out / 'depth_npy'}", *words]))
    scored = json.loads((tmp_path / "score.json").read_text())
    assert {key: scored[key] for key in DEPTHS} == pytest.approx({key: found[key] for key in DEPTHS}, rel=1e-5)
    assert (delta, scored["images"]) == (scored["delta1"], 2)


def test_an_evaluation_averages_views_as_a_prediction_does(tmp_path):
    path = checkpoint(tmp_path / "c.ckpt", "normals")
    plain_ = evaluated(path, tmp_path / "plain.json")
    mirrored = evaluated(path, tmp_path / "mirrored.json", "mirror=true")
    assert 0 < mirrored["mean_angle"] < plain_["mean_angle"], "the mean of two directions at random is the better one"
    color = checkpoint(tmp_path / "color.ckpt", "colorization")
    with pytest.raises(ValueError, match="a checkpoint of colorization is scored by itself"):
        evaluated(color, tmp_path / "color.json", "mirror=true")
