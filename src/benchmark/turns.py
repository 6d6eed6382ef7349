"""Several training loops, each of which believes to be alone, run a block of steps in turn."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from src.benchmark.clock import Clock, now

Loop = Callable[["Turns"], object]  # runs to its end, asking the Turns it is given for its batches


class Turns:
    """The batches of a training; between two blocks of them the loop is held while the others take their turn.

    The loops share one process, so that blocks are short and neighbours in time. The leader runs in the main thread,
    for only there can signals be handled, and leads the others on.
    """

    def __init__(self, batches: Sequence[Any], block: int, count: int, others: Sequence["Turns"] = ()) -> None:
        """Nothing runs yet.

        Args:
            batches: ready made; given again and again.
            block: steps to a turn.
            count: blocks in all, the first of which warms up and is not timed.
            others: `led` ones that take their turn after each block of this one.
        """
        self.clock = Clock()
        self._batches, self._block, self._count, self._others = batches, block, count, others
        self._go, self._held = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        return self._block * self._count + 1  # the last one's only purpose is that somebody asks for it

    def __iter__(self) -> Iterator[Any]:
        for turn in range(self._count):
            since = now()
            for step in range(self._block):
                yield self._batches[(turn * self._block + step) % len(self._batches)]
            if turn > 0:
                self.clock.add(since, self._block)
            self._hand_over()
        yield self._batches[0]

    def led(self, loop: Loop) -> "Turns":
        """Let a loop that is not the leader begin at its first turn."""
        self._thread = threading.Thread(target=self._run, args=(loop,), daemon=True)
        self._thread.start()
        return self

    def _run(self, loop: Loop) -> None:
        self._go.acquire()
        try:
            loop(self)
        except BaseException as error:  # raised again in the leader's thread
            self._failure = error
        self._thread = None
        self._held.release()

    def _hand_over(self) -> None:
        for other in self._others:
            other.advance()
        if self._thread is threading.current_thread():
            self._held.release()
            self._go.acquire()

    def finish(self) -> None:
        """What comes after the last block of a led loop."""
        while self._thread is not None:
            self.advance()

    def advance(self) -> None:
        """One block of a led loop."""
        if self._thread is not None:
            self._go.release()
            self._held.acquire()
        if self._failure:
            raise self._failure
