"""What stands on the page, and what does not where there is nothing to say."""

import itertools
import json
import math
import re
import time
from html import unescape
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from src.leaderboard.page import pictures as drawing
from src.leaderboard.page.drawing import scale
from src.leaderboard.report import report
from tests.leaderboard.sweep import run, sweep


def made(runs: Path, **options) -> str:
    """The page of these runs."""
    report(runs, runs.parent / "out", **options)
    return (runs.parent / "out" / "index.html").read_text()


def sections(page: str) -> list[str]:
    return [unescape(title) for title in re.findall(r"<h2>(.*?)</h2>", page)]


def section(page: str, title: str) -> str:
    """The text of a section, tags left out."""
    found = re.search(rf"<section [^>]*><h2>{re.escape(title)}</h2>(.*?)</section>", page, re.S)
    assert found, sections(page)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found[1])))


def draw(folder: Path, columns: list[str], shade: int, names: tuple[str, ...] = ("1", "2")) -> None:
    """A contact sheet of grey panels, as src.callback.pictures leaves it."""
    sheet, info = Image.new("RGB", (40 * len(columns), 30 * len(names)), (shade, shade, shade)), PngInfo()
    places = {name: [40 * n, 40] for n, name in enumerate(columns)}
    told = {"names": names, "columns": places, "tops": [30 * n for n in range(len(names))], "height": 30}
    info.add_text("panels", json.dumps(told))
    (folder / "pictures").mkdir()
    sheet.save(folder / "pictures" / "val.png", pnginfo=info)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("large") / "runs"
    assert sweep(top, epochs=10) == 300
    began = time.process_time()
    made(top)
    assert time.process_time() - began < 15  # 1.3 s on a free core, without the checks of types that tests have
    return top


def test_three_hundred_runs_are_a_small_page(large: Path) -> None:
    page = (large.parent / "out" / "index.html").read_text()
    assert len(page.encode()) < 700_000
    assert sections(page) == [
        "Leaderboard",
        "Seeds",
        "Axes",
        "Two axes together",
        "Comparisons",
        "Curves",
        "Score against cost",
        "Classes",
        "Runs that do not count",
        "Runs",
        "The same in all runs",
    ]
    assert "297 runs of 60 configurations, 3 more that do not count" in page
    assert "The best 40 of 60." in section(page, "Seeds")
    assert "model/decoder : balanced over 15 choices of the other axes" in section(page, "Axes")
    assert "model/backbone × model/decoder" in section(page, "Two axes together").partition("F test")[0]
    assert "more than seeds explain" in section(page, "Two axes together").partition("F test")[0]
    assert "no more than seeds explain" in section(page, "Two axes together")
    assert "failed: RuntimeError: out of memory in step 12" in section(page, "Runs that do not count")
    assert "in grey: 52 others" in section(page, "Curves")


def test_every_section_says_in_a_sentence_what_it_is(large: Path) -> None:
    page = (large.parent / "out" / "index.html").read_text()
    told = re.findall(r"</h2><p class=\"told\">(.*?)</p>", page)
    assert len(told) == len(sections(page))
    assert all(text.endswith(".") and len(text) > 20 for text in told)


def test_without_a_sweep_there_is_little_to_say(tmp_path: Path) -> None:
    run(tmp_path / "runs" / "0", 0, 0.5)
    page = made(tmp_path / "runs")
    assert sections(page) == ["Leaderboard", "Seeds", "Runs", "The same in all runs"]
    assert "1 run of 1 configuration. The highest score has <b>all runs</b>: 0.5000." in page


def test_configurations_without_seeds_in_common_are_not_compared(tmp_path: Path) -> None:
    for seed, loss in enumerate(("dice", "focal")):
        run(tmp_path / "runs" / loss, seed, 0.5 + seed / 10, loss=loss)
    assert "too few to tell" in section(made(tmp_path / "runs"), "Comparisons")


def test_few_configurations_are_compared_in_all_pairs_and_many_with_the_best(tmp_path: Path) -> None:
    for (n, loss), seed in itertools.product(enumerate("abc"), range(3)):
        run(tmp_path / "runs" / f"{loss}{seed}", seed, 0.5 + n / 10 + (0.001, 0.003, -0.001)[seed] * (n + 1), loss=loss)
    text = section(made(tmp_path / "runs"), "Comparisons")
    assert text.count("told apart") == 3
    assert "0.2500 (≥ 0.2500)" in text
    for n, seed in itertools.product(range(4), range(3)):
        run(tmp_path / "runs" / f"{n}{seed}", seed, 0.1 + n / 100 + seed / 1000, loss=str(n))
    assert section(made(tmp_path / "runs"), "Comparisons").count("told apart") == 6


def test_the_smallest_is_the_best_where_it_is_an_error(tmp_path: Path) -> None:
    for n, loss in enumerate(("silog", "l1", "berhu")):
        for seed in range(2):
            val = {"score": 0.9, "delta1": 0.9, "abs_rel": 0.1 + n / 10, "rmse": 0.5}
            facts = {"val": val, "params": 10 + 10 * n, "task": "depth"}
            run(tmp_path / "runs" / f"{loss}{seed}", seed, 0.9, loss=loss, **facts)
    page = made(tmp_path / "runs", metric="val/abs_rel", ascending=True)
    assert "The lowest val/abs_rel has <b>silog</b>: 0.1000 ± 0.0000." in page
    assert "On the front: silog." in section(page, "Score against cost")
    assert "val/rmse" in section(page, "Leaderboard")


def test_objects_have_their_ap_by_class(tmp_path: Path) -> None:
    for seed in range(2):
        val = {"score": 0.3, "ap": 0.3, "ap50": 0.5, "ap/cat": 0.2, "ap/dog": 0.4, "box/ap/cat": 0.3, "box/ap/dog": 0.5}
        run(tmp_path / "runs" / str(seed), seed, 0.3, val=val)
    text = section(made(tmp_path / "runs"), "Classes")
    assert "val/ap cat dog 0.2000 0.4000" in text
    assert "val/box/ap cat dog 0.3000 0.5000" in text


def test_drawn_values_have_a_point_each_and_a_logarithmic_scale(tmp_path: Path) -> None:
    for n in range(12):
        run(tmp_path / "runs" / str(n), 0, 0.5 + n / 100, **{"optimizer.lr": 10 ** (-4 + n / 5), "loss": "ab"[n % 2]})
    page = made(tmp_path / "runs")
    panel = page[page.index("Drawn values</h2>") :].partition("</section>")[0]
    at = sorted(float(x) for x in re.findall(r'class="point" cx="([\d.]+)"', panel))
    steps = [b - a for a, b in itertools.pairwise(at)]
    assert len(at) == 12
    assert max(steps) - min(steps) < 0.3
    assert section(page, "Leaderboard").count("focal") == 0


def test_the_pictures_are_in_the_page(tmp_path: Path) -> None:
    for shade, loss in ((50, "dice"), (200, "focal")):
        draw(
            run(tmp_path / "runs" / loss, 0, shade / 400, loss=loss), ["image", "target", "prediction", "error"], shade
        )
    page = made(tmp_path / "runs", images=1)
    found = re.findall(r'<img alt="(\d)" src="data:image/webp;base64,[^"]+">', page)
    assert found == ["1"] * 4  # the image, its target, and two predictions
    assert section(page, "Pictures").split("of them. ")[1].split() == ["image", "target", "focal", "dice"]


def test_of_several_fields_each_has_its_pictures(tmp_path: Path) -> None:
    columns = ["image", "mask: target", "mask: prediction", "depth: target", "depth: prediction"]
    for loss in ("dice", "focal"):
        draw(run(tmp_path / "runs" / loss, 0, 0.5, loss=loss), columns, 9)
    page = made(tmp_path / "runs", axes=["loss"])
    heads = " ".join(section(page, "Pictures").split("of them. ")[1].split())
    assert heads == "image mask: target depth: target dice mask dice depth focal mask focal depth"
    assert Image.open(tmp_path / "out" / "predictions.png").height == 20 + 2 * 30 + 4


def test_pictures_stop_where_the_page_would_grow_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for loss in ("dice", "focal"):
        draw(run(tmp_path / "runs" / loss, 0, 0.5, loss=loss), ["image", "target", "prediction"], 9)
    monkeypatch.setattr(drawing, "_BYTES", 500)
    page = made(tmp_path / "runs")
    assert 0 < len(re.findall("<img ", page)) < 8
    assert "Some are left out" in section(page, "Pictures")


def test_a_picture_that_is_torn_is_none(tmp_path: Path) -> None:
    folder = run(tmp_path / "runs" / "0", 0, 0.5)
    draw(folder, ["image", "target", "prediction"], 9)
    file = folder / "pictures" / "val.png"
    file.write_bytes(file.read_bytes()[:60])
    assert "Pictures" not in sections(made(tmp_path / "runs"))


def test_a_page_that_is_watched_loads_itself_again(tmp_path: Path) -> None:
    run(tmp_path / "runs" / "0", 0, 0.5)
    assert "<meta http-equiv" not in made(tmp_path / "runs")
    page = made(tmp_path / "runs", refresh=7)
    assert '<meta http-equiv="refresh" content="7">' in page
    assert "loads itself again every 7 s" in page


def test_an_interval_is_drawn_to_its_ends_and_left_open_where_it_goes_on(tmp_path: Path) -> None:
    for loss, seeds, step in (("dice", 5, 0.01), ("focal", 2, 0.1)):
        for seed in range(seeds):
            run(tmp_path / "runs" / f"{loss}{seed}", seed, 0.6 + seed * step - (loss == "focal") / 10, loss=loss)
    page = made(tmp_path / "runs")
    closed, opened = re.findall(r'class="whisker" d="([^"]+)"', page)
    assert (closed.count("V"), opened.count("V")) == (2, 0)
    left, right = (float(x) for x in re.match(r"M([\d.]+) [\d.]+H([\d.]+)", closed).groups())
    dots = [float(x) for x in re.findall(r'class="seed" cx="([\d.]+)"', page)][:5]
    scaled = (max(dots) - min(dots)) / 0.04  # pixels of a point of score
    assert (right - left) / scaled == pytest.approx(2 * 2.7764 * 0.015811 / 5**0.5, rel=0.01)


@pytest.mark.parametrize(
    ("values", "log", "expected"),
    [
        ([0.4, 0.71], False, [0.4, 0.5, 0.6, 0.7]),
        ([0.0, 0.0], False, None),
        ([1e6, 9e7], True, [1e6, 3e6, 1e7, 3e7, 1e8]),
    ],
)
def test_ticks_are_round_and_within(values: list[float], log: bool, expected: list[float] | None) -> None:
    found = scale(values, 0, 100, log)
    ticks = found.ticks()
    assert all(found.low <= tick <= found.high for tick in ticks)
    assert 2 <= len(ticks) <= 7
    assert expected is None or ticks == pytest.approx(expected)
    assert found(values[0]) < found(values[1]) or values[0] == values[1]
    middle = math.sqrt(found.low * found.high) if log else (found.low + found.high) / 2
    assert found(middle) == pytest.approx(50, abs=0.1)
