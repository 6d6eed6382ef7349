"""One job of a sweep: a process, its folder, its log and what became of it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from src.run import log

_PULSE = 0.2  # seconds between two looks at the process, the log and the signals


@dataclass
class Job:
    """A command that writes `folder`/log.txt and `folder`/results.json; `trouble` says what went wrong, if anything."""

    command: list[str]
    folder: Path
    trouble: str | None = None
    score: float | None = None
    seconds: float = field(default=0.0, init=False)

    @property
    def log(self) -> Path:
        return self.folder / log.NAME

    def run(self, environment: dict[str, str], signals: list[int], verbose: bool) -> None:
        """Run to the end. Signals that are appended to `signals` meanwhile reach the process, the second as SIGKILL."""
        self.folder.mkdir(parents=True, exist_ok=True)
        start = time.time()
        with self.log.open("ab") as output, self.log.open("rb") as copy:
            begin = copy.seek(0, os.SEEK_END)  # what an earlier run left in this log stays there
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                process_group=0,  # Ctrl-C in the terminal reaches the job through us alone, once
            )
            _follow(process, copy if verbose else None, signals)
        self.seconds = time.time() - start
        results = self._results(start)
        self.score = results.get("score")
        self.trouble = self._trouble(process.returncode, results.get("status"), begin)

    def _results(self, start: float) -> dict[str, Any]:
        file = self.folder / "results.json"
        if not file.is_file() or file.stat().st_mtime < start - 2:  # of an earlier run; file systems round times
            return {}
        return json.loads(file.read_text(encoding="utf8"))

    def _trouble(self, code: int, status: str | None, begin: int) -> str | None:
        if status == "interrupted":
            return status
        if code:
            return f"{_ending(code)}: {log.last_error(self.log, begin)}"
        if status is None:
            return "ended well, but wrote no results.json"
        return None if status in ("finished", "pruned") else f"ended with status {status}"


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return "killed by SIGKILL (by hand, or the system ran out of memory)"
    return f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def _follow(process: subprocess.Popen[bytes], copy: BinaryIO | None, signals: list[int]) -> None:
    delivered = 0
    while process.poll() is None:
        for number in signals[delivered:]:
            _deliver(process, number if delivered == 0 else signal.SIGKILL)
            delivered += 1
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PULSE)
        if copy:
            sys.stdout.write(copy.read().decode(errors="replace"))
            sys.stdout.flush()


def _deliver(process: subprocess.Popen[bytes], number: int) -> None:
    """As it would have come: Ctrl-C to all that the job started, `kill` to the job, which ends its workers."""
    with suppress(ProcessLookupError):  # it ended by itself in the meantime
        if number in (signal.SIGINT, signal.SIGKILL):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
