"""The file that a search is kept in."""

from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

_GRACE = 10  # seconds after which the lock of a process that died is taken away


class Journal(JournalFileBackend):
    """Optuna's own, for processes of several machines; what a full disk or a power cut left half written is dropped."""

    def __init__(self, file: Path) -> None:
        """Open it, or make it.

        Args:
            file: beside which the lock is; absolute, for the lock is a link to it.
        """
        self._file = file.absolute()
        self._link = JournalFileSymlinkLock(str(self._file), _GRACE)
        super().__init__(str(self._file), self._link)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines, after a whole one."""
        if not self._whole():
            self._link.acquire()  # else it may be that somebody is writing
            try:
                if not self._whole():
                    content = self._file.read_bytes()
                    with self._file.open("r+b") as file:
                        file.truncate(content.rfind(b"\n") + 1)
            finally:
                self._link.release()
        super().append_logs(logs)

    def _whole(self) -> bool:
        with self._file.open("rb") as file:
            if file.seek(0, 2) == 0:
                return True
            file.seek(-1, 2)
            return file.read(1) == b"\n"
