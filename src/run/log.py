"""What a run's log.txt says of its end."""

import os
import re
from pathlib import Path

NAME = "log.txt"
_ERROR = re.compile(r"^(error|[\w.]+(Error|Exception|Interrupt|Exit)): ")  # the line that ends a traceback
_COLOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAIL = 100_000  # bytes that are searched


def last_error(log: Path, begin: int = 0) -> str:
    """The last line that names an error, else the last line, of what a log holds from byte `begin` on."""
    with log.open("rb") as file:
        file.seek(max(begin, file.seek(0, os.SEEK_END) - _TAIL))
        text = _COLOR.sub("", file.read().decode(errors="replace")).replace("\r", "\n")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return ([line for line in lines if _ERROR.match(line)] or lines or ["it printed nothing"])[-1]
