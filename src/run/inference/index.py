"""predictions.json: what a folder of predictions was made with, what its numbers mean, and what became of each file."""

import hashlib
import json
from typing import Any

from src.data.description import UNKNOWN, Description
from src.run.folder import write_json
from src.run.inference.findings import Findings
from src.run.inference.outputs import INDEX, Outputs
from src.run.inference.records import Records
from src.run.inference.source import Source


class Index:
    """The account of one output folder; every prediction in it bears the stamp of what it was made from."""

    def __init__(self, outputs: Outputs | Findings | Records, facts: dict[str, Any], description: Description) -> None:
        """Nothing is read or written yet.

        Args:
            facts: checkpoints by content and every option that has a say in the pixels.
            description: of the checkpoint's dataset.
        """
        self.path = outputs.folder / INDEX
        self.files: dict[str, dict[str, Any]] = {}
        text = json.dumps(facts, sort_keys=True)
        self._outputs, self._facts, self._description = outputs, json.loads(text), description
        self._digest = hashlib.sha256(text.encode()).hexdigest()

    def pending(self, sources: list[Source], resume: bool) -> list[Source]:
        """Those that are still to be predicted: all, or on `resume` those without complete outputs of these facts.

        Raises:
            ValueError: on `resume`, the folder holds predictions made otherwise, or masks of somebody else.
        """
        if resume:
            self._compare()
            self._spare(sources)
        waiting = []
        for source in sources:
            done = resume and self._outputs.stamp(source) == self.stamp(source)
            done = done and all(path.exists() for path in self._outputs.all(source))
            if done:
                self.written(source)
            else:
                self.note(source, "pending")
            waiting += [] if done else [source]
        return waiting

    def stamp(self, source: Source) -> str:
        """What a mask is made from: the facts, and the file as it is now."""
        try:
            stat = source.path.stat()
        except OSError:  # a link that leads nowhere: whoever reads it will say so
            return "unreadable"
        return hashlib.sha256(f"{self._digest} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:32]

    def written(self, source: Source) -> None:
        """A file's outputs are complete; what is said of them is read off them."""
        self.note(source, "written", **self._outputs.account(source))

    def note(self, source: Source, status: str, **more: Any) -> None:
        """What became of a file: pending, written, failed or ignored."""
        self.files[str(source.path)] = {"name": source.name, "status": status, **more}

    def complete(self, sources: list[Source]) -> list[Source]:
        """Those whose outputs are there."""
        return [source for source in sources if self.files[str(source.path)]["status"] == "written"]

    def save(self) -> None:
        """Write the account."""
        names, colors = self._description.classes, self._description.colors
        classes = [
            {"index": index, "name": name, "color": list(color)}
            for index, (name, color) in enumerate(zip(names, colors, strict=True))
        ]
        files = [{"input": path, **entry} for path, entry in self.files.items()]
        content = {"made_with": self._facts, "classes": classes, "unknown": UNKNOWN, "files": files}
        write_json(self.path, content)

    def _compare(self) -> None:
        if not self.path.exists():
            return
        try:
            before = json.loads(self.path.read_text("utf8"))["made_with"]
            changed = [key for key in {**before, **self._facts} if before.get(key) != self._facts.get(key)]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.path}: not written by src.predict; choose another output") from error
        if changed:
            told = "; ".join(f"{key} was {before.get(key)}, is {self._facts.get(key)}" for key in changed)
            raise ValueError(
                f"{self.path.parent} holds predictions that were made otherwise ({told}): "
                "choose another output, or say resume=false to write them anew"
            )

    def _spare(self, sources: list[Source]) -> None:
        strangers = [path for source in sources for path in self._outputs.strangers(source)]
        if strangers:
            raise ValueError(
                f"{strangers[0]} is there and not a prediction of src.predict"
                + (f", and {len(strangers) - 1} more" if strangers[1:] else "")
                + ": choose another output, or say resume=false to overwrite"
            )
