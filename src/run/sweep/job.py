"""One job of a sweep: a process, its folder, its log and what became of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from src.run import log
from src.run.sweep import pinned
from src.run.sweep.share import Share

_LOOK = 2.0  # seconds between two looks at a job's memory


@dataclass(eq=False)
class Job:
    """A command that writes `folder`/log.txt and `folder`/results.json; `trouble` says what went wrong, if anything."""

    command: list[str]
    folder: Path
    name: str = ""
    trouble: str | None = None
    score: float | None = None
    results: dict[str, Any] = field(default_factory=dict, init=False)  # results.json, once it has ended
    seconds: float = field(default=0.0, init=False)  # on the clock, until now
    memory: int = field(default=0, init=False)  # bytes of its processes that no other shares
    peak: int = field(default=0, init=False)  # the most of them that was seen
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / log.NAME

    def start(self, environment: Mapping[str, str], share: Share) -> None:
        """Begin; what an earlier run left in the log stays there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._began, self._looked = time.time(), 0.0
        pin = [sys.executable, "-I", "-S", pinned.__file__, str(os.getpid()), ",".join(map(str, share.cores))]
        with self.log.open("ab") as output:
            self._read = self._begin = output.seek(0, os.SEEK_END)
            self.process = subprocess.Popen(
                [*pin, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=share.environment(environment),
                process_group=0,  # Ctrl-C in the terminal reaches the job through us alone, once
            )

    def ended(self) -> bool:
        """Whether it has, with score, results and trouble noted then."""
        assert self.process is not None
        self.seconds = time.time() - self._began
        if self.process.poll() is None:
            if time.monotonic() - self._looked > _LOOK:
                self._looked, self.memory = time.monotonic(), _memory(self.process.pid)
                self.peak = max(self.peak, self.memory)
            return False
        self.results = self._results()
        self.score = self.results.get("score")
        self.trouble = self._trouble(self.process.returncode, self.results.get("status"))
        return True

    def deliver(self, number: int) -> None:
        """A signal as it would have come: Ctrl-C to all that the job started, others to the job, which ends its own."""
        assert self.process is not None
        if self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):  # it ended by itself in the meantime
            if number in (signal.SIGINT, signal.SIGKILL):
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(signal.SIGTERM)  # Slurm's signals, too, are for the sweep as a whole

    def printed(self) -> str:
        """What it has printed since the last call."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        self._read += len(text)
        return text.decode(errors="replace")

    def _results(self) -> dict[str, Any]:
        file = self.folder / "results.json"
        if not file.is_file() or file.stat().st_mtime < self._began - 2:  # of an earlier run; file systems round times
            return {}
        return json.loads(file.read_text(encoding="utf8"))

    def _trouble(self, code: int, status: str | None) -> str | None:
        if status == "interrupted":
            return status
        if code:
            return f"{_ending(code)}: {log.last_error(self.log, self._begin)}"
        if status is None:
            return "ended well, but wrote no results.json"
        return None if status in ("finished", "pruned") else f"ended with status {status}"


def _ending(code: int) -> str:
    if code == -signal.SIGKILL:
        return "killed by SIGKILL (by hand, or the system ran out of memory)"
    return f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def _memory(number: int) -> int:
    """Bytes of a process and of all that it started, without the files they map (the decoded data of all jobs)."""
    total = 0
    with suppress(psutil.Error):
        first = psutil.Process(number)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.Error):
                used = process.memory_info()
                total += used.rss - getattr(used, "shared", 0)
    return total
