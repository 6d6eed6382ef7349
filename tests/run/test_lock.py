import subprocess
import sys

import pytest

from src.run.lock import locked

HOLD = "import sys, time; from pathlib import Path; from src.run.lock import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_live_process_keeps_others_out(tmp_path, holder):
    with pytest.raises(ValueError, match=rf"process {holder.pid} on .* is running here"), locked(tmp_path):
        pass
    holder.communicate()  # it ends in order
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_dead_one_does_not_and_what_it_left_is_swept(tmp_path, holder, capsys):
    (tmp_path / "checkpoints").mkdir()
    for name in (".last.ckpt.123", ".hidden"):
        (tmp_path / "checkpoints" / name).write_text("x")
    holder.kill()
    holder.wait()
    with locked(tmp_path):
        assert f"taken over from process {holder.pid}" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [".hidden"]


def test_other_ranks_do_not_ask(tmp_path, holder, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with locked(tmp_path):
        pass
