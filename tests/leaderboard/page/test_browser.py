"""The page in a real browser: no error, and what its script does when it is used."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from src.leaderboard.report import report
from tests.leaderboard.sweep import run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ERRORS = "<script>window.errors = []; addEventListener('error', (e) => errors.push(e.message));</script>"
SHOWN = "const shown = (q) => [...document.querySelectorAll(q)].filter((e) => e.getClientRects().length > 0);"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three losses on two models with three seeds, and a failure."""
    top = tmp_path_factory.mktemp("browser")
    for n, loss in enumerate(("cross_entropy", "dice", "focal")):
        for model, extra in (("unet", 0.2), ("fcn8s", 0.0)):
            for seed in range(3):
                score = 0.3 + 0.1 * n + extra * (1 + n) + 0.01 * seed * (-1) ** n
                cost = {"params": 9 + n if model == "unet" else 100 - n, "seconds": 60.0 + n}
                run(top / "runs" / f"{model}{loss}{seed}", seed, score, epochs=4, model=model, loss=loss, **cost)
    run(top / "runs" / "bad", 0, None, "failed", model="unet", loss="lovasz")
    report(top / "runs", top / "out")
    return (top / "out" / "index.html").read_text()


def told(page: str, folder: Path, script: str, *flags: str) -> Any:
    """What `script` returns in a browser that has loaded the page from the disk."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser is installed: {', '.join(BROWSERS)}")
    asked = f"<script>{SHOWN} onload = () => document.title = JSON.stringify((() => {{ {script} }})());</script>"
    (folder / "page.html").write_text(page.replace("<meta", f"{ERRORS}<meta", 1).replace("</body>", f"{asked}</body>"))
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", *flags]
    words += ["--enable-logging=stderr", "--v=0", "--dump-dom", f"file://{folder / 'page.html'}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert "CONSOLE" not in done.stderr, done.stderr
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
    assert title, done.stderr
    return json.loads(unescape(title[1]))


def test_sorting_filtering_hiding_and_copying(page: str, tmp_path: Path) -> None:
    script = """
      const column = (n) => shown("table.board tbody tr").map((row) => row.cells[n].textContent.trim());
      const heads = [...document.querySelectorAll("table.board th")].map((head) => head.textContent);
      const click = (name) => document.querySelectorAll("table.board th button")[heads.indexOf(name)].click();
      const count = () => document.querySelector("#count").textContent;
      const at = (name) => column(heads.indexOf(name));
      const found = { heads, best: at("loss").slice(0, 2) };
      click("params"); found.dear = at("params");
      click("params"); found.cheap = at("params");
      const score = (row) => Number(row.cells[heads.indexOf("score")].dataset.v);
      click("score"); found.scores = shown("table.board tbody tr").map(score);
      click("loss"); found.losses = at("loss");
      found.order = document.querySelectorAll("table.board th[aria-sort=ascending]").length;
      const search = document.querySelector("input[type=search]");
      const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); };
      type("UNET"); found.unet = [at("model"), shown("svg g[data-c] .name").length, count()];
      type("unet focal"); found.one = [count(), shown("svg polyline.curve").length];
      type("");
      document.querySelector("table.board input[type=checkbox]").click();
      found.hidden = [count(), shown("table.board tbody tr").length, shown("svg polyline.curve").length];
      document.querySelector(".tools button").click();
      found.back = [count(), shown("svg polyline.curve").length, search.value];
      found.copies = [...document.querySelectorAll("code + button")].length;
      found.commands = document.querySelector("table.board code").textContent;
      found.errors = errors;
      return found;
    """
    found = told(page, tmp_path, script)
    assert found["errors"] == []
    assert found["heads"][:6] == ["#", "model", "loss", "n", "score", "95 %"]
    assert found["best"] == ["focal", "dice"]
    assert found["dear"] == ["100", "99.0", "98.0", "11.0", "10.0", "9.0000"]  # by number, not by letter
    assert found["cheap"] == found["dear"][::-1]
    assert found["scores"] == sorted(found["scores"], reverse=True)
    assert len({len(str(score)) for score in found["scores"]}) > 1  # .5 and .42: letters would not do
    assert found["losses"] == sorted(found["losses"])
    assert found["order"] == 1
    assert found["unet"] == [["unet"] * 3, 3, "3 of 6 configurations"]
    assert found["one"] == ["1 of 6 configurations", 1]
    assert found["hidden"] == ["5 of 6 configurations", 6, 5]  # its row stays, to be shown again
    assert found["back"] == ["6 configurations", 6, ""]
    assert found["copies"] == 7  # six configurations and a run that failed
    assert found["commands"].startswith(
        "python -m src.train -m task=semantic data=scenes model=unet loss=cross_entropy seed=0,1,2"
    )


def test_a_page_that_loads_itself_again_comes_back_to_where_it_was_read(page: str, tmp_path: Path) -> None:
    script = """
      const search = document.querySelector("input[type=search]");
      if (sessionStorage.times) return [search.value, document.querySelector("details").open, scrollY > 250, errors];
      sessionStorage.times = 1;
      search.value = "focal";
      search.dispatchEvent(new Event("input"));
      document.querySelector("details").open = true;
      scrollTo(0, 300);
      setTimeout(() => location.reload(), 100);
    """
    watched = page.replace("<meta", '<meta http-equiv="refresh" content="999"><meta', 1)
    assert told(watched, tmp_path, script, "--virtual-time-budget=5000") == ["focal", True, True, []]


def test_on_a_phone_and_by_night_nothing_runs_off_the_page(page: str, tmp_path: Path) -> None:
    frame = (
        '<!doctype html><html><head><meta charset="utf-8"><title></title></head><body>'
        f'<iframe style="width: 400px; height: 800px" srcdoc="{escape(page, quote=True)}"></iframe></body></html>'
    )
    script = """
      const inner = document.querySelector("iframe").contentDocument;
      const style = inner.defaultView.getComputedStyle(inner.body);
      const wide = Math.max(inner.documentElement.scrollWidth, inner.querySelector("section").scrollWidth);
      return [wide <= 400, inner.querySelectorAll("section").length, style.backgroundColor];
    """
    fits, sections, color = told(frame, tmp_path, script, "--blink-settings=preferredColorScheme=0")
    assert fits
    assert sections >= 8
    assert color == "rgb(18, 22, 28)"
