"""Which files a command line means, and what their predictions are called; nothing here opens a file."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A file to predict."""

    path: Path
    name: str  # below the folder that was asked for, without the suffix: what its outputs are called


def found(inputs: Sequence[Path], output: Path, suffixes: Sequence[str]) -> tuple[list[Source], list[Source]]:
    """What the inputs name, each once: what may be an image by its suffix, and the other files.

    An input is a file, a folder with all below it, or a glob. A file that is named itself is taken for an image,
    whatever its suffix. Hidden files are left out, and so is what lies in `output`. A folder that is named like an
    image is among the images, so that it gets reported.

    Raises:
        ValueError: an input names nothing, or no image.
    """
    images: dict[Path, Source] = {}
    others: dict[Path, Source] = {}
    for wanted in inputs:
        named = _below(wanted, suffixes)
        files = [(root, path) for root, path in named if not path.is_relative_to(output)]
        pictures = {path for _, path in files if path.suffix.lower() in suffixes or path == wanted}
        if not pictures:
            inside = f"all of it lies in output={output}: choose another output" if named and not files else None
            raise ValueError(f"input={wanted}: {inside or _nothing(wanted, len(files), suffixes)}")
        for root, path in files:
            kind = images if path in pictures else others
            kind.setdefault(path, Source(path, path.relative_to(root).with_suffix("").as_posix()))
    return list(images.values()), list(others.values())


def _below(wanted: Path, suffixes: Sequence[str]) -> list[tuple[Path, Path]]:
    """(the folder that names are relative to, the file), sorted."""
    if wanted.is_file():
        return [(wanted.parent, wanted)]
    if wanted.is_dir():
        inside = [path for path in sorted(wanted.rglob("*")) if not path.is_dir() or path.suffix.lower() in suffixes]
        return [(wanted, path) for path in inside if not _hidden(path, wanted)]
    if not glob.has_magic(str(wanted)):
        return []
    magic = [glob.has_magic(part) for part in wanted.parts]
    first = magic.index(True)
    root, pattern = Path(*wanted.parts[:first]), str(Path(*wanted.parts[first:]))
    matches = [path for path in sorted(root.glob(pattern)) if not _hidden(path, root)] if root.is_dir() else []
    below = [path for match in matches for _, path in _below(match, suffixes)]
    return [(root, path) for path in dict.fromkeys(below)]


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _nothing(wanted: Path, others: int, suffixes: Sequence[str]) -> str:
    if others:
        return f"none of its {others} files is an image by its suffix; images end in {', '.join(suffixes)}"
    if glob.has_magic(str(wanted)) and not wanted.exists():
        return "no file matches"
    return "there are no files in this folder" if wanted.is_dir() else "there is no such file or folder"
