from pathlib import Path

import pytest

from src.run.log import last_error


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "epoch 1\nTraceback (most recent call last):\n  File x\nRuntimeError: too bad\nsync: done\n",
            "RuntimeError: too bad",
        ),
        ("torch.OutOfMemoryError: 2 GB\nerror: out of memory\n", "error: out of memory"),
        ("\x1b[31mValueError: red\x1b[0m\n", "ValueError: red"),
        ("epoch 1\rValueError: after a bar\n\n", "ValueError: after a bar"),
        ("one\ntwo \n\n", "two"),
        ("", "it printed nothing"),
    ],
)
def test_the_error_is_found(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "log.txt"
    file.write_text(text)
    assert last_error(file) == line


def test_only_the_newest_part_is_read(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_text("ValueError: of yesterday\nfine\n")
    assert last_error(file, begin=len("ValueError: of yesterday\n")) == "fine"
