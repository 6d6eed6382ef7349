"""Where a dataset's files are, and which image belongs to which mask; what is amiss is said all at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from src.data.decode import SUFFIXES
from src.data.pair import Pair

_SHOWN = 10  # files of each kind of trouble that an error lists


@dataclass
class Survey:
    """What is found out about a dataset's files beside its pairs, while `surveyed` lasts."""

    troubles: list[str] = field(default_factory=list)  # a sentence for each file that is amiss
    lists: list[Path] = field(default_factory=list)  # files that say which samples there are


_survey: ContextVar[Survey | None] = ContextVar("survey", default=None)


@contextmanager
def surveyed() -> Iterator[Survey]:
    """Datasets that are built meanwhile leave out the files that are amiss, and note them instead of raising."""
    survey = Survey()
    token = _survey.set(survey)
    try:
        yield survey
    finally:
        _survey.reset(token)


def lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank.

    Raises:
        ValueError: it is no text.
    """
    if survey := _survey.get():
        survey.lists.append(path)
    try:
        return [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (UnicodeDecodeError, OSError) as error:
        raise ValueError(f"{path} cannot be read as a list: {error}") from error


def located(root: str | Path, below: Sequence[str], needed: str, what: str) -> Path:
    """The dataset's own folder: `root`, or the first of the folders `below` it, that holds `needed`.

    Raises:
        ValueError: none does; the message says what was looked for.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise ValueError(f"data.root={root} is no folder: say where {what} is")
    for folder in (root, *(root / name for name in below)):
        if (folder / needed).exists():
            return folder
    places = " or ".join(str(folder) for folder in (root, *(root / name for name in below)))
    raise ValueError(f"{what} is not in data.root={root}: looked for {needed} in {places}")


def images(folder: Path) -> dict[str, list[Path]]:
    """Image files below `folder` by where they stand, without the suffix; hidden ones are left out.

    A folder that is named like an image is among them, so that it gets reported.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in place.parts):
            found.setdefault(place.with_suffix("").as_posix(), []).append(path)
    return found


def matched(folder: Path, masks: Path | Sequence[Path]) -> list[Pair]:
    """Images and masks of the same name, in order of names.

    Args:
        masks: a folder, or one per class where classes overlap.

    Raises:
        ValueError: images without a mask, masks without an image, or two files of one name: all of them.
    """
    here = images(folder)
    single = isinstance(masks, Path)
    there = [images(each) for each in ([masks] if single else masks)]
    twice = [str(path) for group in (here, *there) for paths in group.values() if len(paths) > 1 for path in paths]
    alone = sorted(str(here[name][0]) for name in here if any(name not in group for group in there))
    extra = sorted(str(group[name][0]) for group in there for name in group if name not in here)
    complain(
        f"images in {folder} and masks in {masks if single else masks[0].parent} do not match",
        {"of the same name": twice, "without a mask": alone, "without an image": extra},
    )
    complete = sorted(name for name in here if all(name in group for group in there))
    files = {name: tuple(group[name][0] for group in there) for name in complete}
    return [Pair(name, here[name][0], files[name][0] if single else files[name]) for name in complete]


def present(pairs: Sequence[Pair], source: Path) -> Sequence[Pair]:
    """The pairs, all of whose files exist.

    Raises:
        ValueError: files that `source` names and that are not there: all of them.
    """
    gone = {pair.name: [file for file in pair.files() if not Path(file).is_file()] for pair in pairs}
    missing = [file for files in gone.values() for file in files]
    complain(f"{source} names files that do not exist", {"missing": missing})
    return [pair for pair in pairs if not gone[pair.name]] if missing else pairs


def complain(headline: str, troubles: dict[str, list[str]]) -> None:
    """Raise what there is to say, the first files of each trouble in full and the rest counted.

    Raises:
        ValueError: there is any trouble, unless a survey is made: that notes all of it.
    """
    if survey := _survey.get():
        survey.troubles += [f"{file}: {trouble} ({headline})" for trouble, files in troubles.items() for file in files]
        return
    said = []
    for trouble, files in troubles.items():
        if files:
            more = f" ... and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
            said.append(f"{len(files)} {trouble}: {', '.join(files[:_SHOWN])}{more}")
    if said:
        raise ValueError("\n  ".join([headline, *said]))
