"""Commands of the project in processes of their own, without importing torch anew for each.

`run(words)` does what `subprocess.run` would do with `python -m WORDS`: a server that has imported the libraries (not
the project) forks for each command. Own folder, environment, output, exit status and end of the interpreter are those
of a process started by hand; what tells them apart is that the libraries read the environment once.
"""

import atexit
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

LIBRARIES = ("torch", "torchvision", "torchmetrics", "lightning.pytorch", "hydra", "rich.progress")


def run(words: list[str], cwd: Path, env: dict[str, str] | None = None, timeout: float = 280):
    """`python -m *words` in the folder `cwd`: a subprocess.CompletedProcess with its text."""
    server = _server()
    with tempfile.TemporaryDirectory() as folder:
        texts = [Path(folder) / name for name in ("out", "err")]
        order = {
            "words": words,
            "cwd": str(cwd),
            "env": env or dict(os.environ),
            "texts": [str(text) for text in texts],
        }
        server.stdin.write(json.dumps(order).encode() + b"\n")
        group = _number(server)
        if not select.select([server.stdout], [], [], timeout)[0]:
            os.killpg(group, signal.SIGKILL)
            server.stdout.readline()
            raise subprocess.TimeoutExpired(words, timeout, *(text.read_text() for text in texts))
        status = _number(server)
        return subprocess.CompletedProcess(words, status, *(text.read_text() for text in texts))


def _number(server: subprocess.Popen) -> int:
    line = server.stdout.readline()
    if not line:
        raise RuntimeError(f"the server of commands ended with {server.wait()}; its words are above")
    return int(line)


@cache
def _server() -> subprocess.Popen:
    """One for each process that runs tests; it ends when its input does."""
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # numpy's library makes threads while it is imported
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=alone
    )
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    return process


def _serve() -> None:
    for name in LIBRARIES:
        __import__(name)
    threads = Path("/proc/self/task")  # of Linux
    if threads.is_dir() and len(list(threads.iterdir())) > 1:
        raise RuntimeError("a process with threads cannot be forked")
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return _become(json.loads(line))
        print(child, file=answers, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
    return None


def _become(order: dict) -> None:
    """The command, in the fork: what it raises ends the interpreter as it would anywhere."""
    os.setsid()
    for number, path in enumerate([os.devnull, *order["texts"]]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    module, *sys.argv[1:] = order["words"]
    sys.path[0] = order["cwd"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
