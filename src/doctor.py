"""What is in a dataset, and all that is wrong with it, in one pass over its files.

python -m src.doctor data=folder data.root=PATH data.classes=[road,car] output=FILE.json
"""

import typing
from functools import partial
from typing import Any

from src.run import cli

if typing.TYPE_CHECKING:  # brings torch along, which --help and a misspelt key need not wait for
    from omegaconf import DictConfig

    from src.run.diagnosis.findings import Findings
    from src.run.diagnosis.manifest import Manifest


def doctor(config: "DictConfig") -> None:
    """Examine the dataset `config.data`, print the findings and write the file.

    Raises:
        ValueError: there are faults, all of which were printed.
    """
    from src.run.build import plain
    from src.run.diagnosis import findings as findings_of
    from src.run.diagnosis.examination import examined
    from src.run.diagnosis.view import show
    from src.run.folder import claim, write_json
    from src.run.quiet import quiet

    if config.checksums not in (None, "write", "check"):
        raise ValueError(f"checksums={config.checksums}: null, write or check")
    if not 0 <= config.rare <= 1:
        raise ValueError(f"rare={config.rare}: a share of the pixels, from 0 to 1")
    output = cli.path(config.output) if config.output else None
    if output:
        claim(output.parent)
    quiet()
    data = plain(config.data)
    manifest = _manifest(config)
    findings = examined(_builder(data), list(config.splits), _workers(data["workers"]))
    summed = _summed(config.checksums, manifest, findings) if manifest else ""
    found = findings_of.plain(findings, config.rare, data["batch_size"])
    show(found, config.rare)
    if output:
        write_json(output, found)
        print(f"written to {output}")
    total = sum(findings.samples.values())
    count = len(found["faults"])
    print(f"{total} samples, {len(findings.files)} files{summed}; faults: {count or 'none'}")
    if count:
        raise ValueError(
            f"{count} {'fault' if count == 1 else 'faults'}, listed above: mend the files; samples of the split train "
            "may also be left out of a training, by data.skip=N"
        )


def _builder(data: dict[str, Any]) -> Any:
    """Builds a split as the DataModule does: with the dataset's own options, in the classes and labels asked for."""
    import inspect

    from src.data.datamodule import DataModule
    from src.data.splits import Splits
    from src.run.build import build

    shared = inspect.signature(DataModule).parameters
    own = {key: value for key, value in data.items() if key not in shared and not key.startswith("_")}
    weak = build(data["weak"]) if data.get("weak") else None
    return Splits(build(data["dataset"]), own, data.get("label_map"), data.get("other"), weak)


def _workers(wanted: int | str) -> int:
    from src.data.cores import readers

    return readers() if wanted == "auto" else int(wanted)


def _manifest(config: "DictConfig") -> "Manifest | None":
    """Where the sums are, or will be."""
    from src.run.diagnosis.examination import tracked
    from src.run.diagnosis.manifest import Manifest

    if config.checksums is None:
        return None
    if not config.manifest and not config.data.get("root"):
        raise ValueError(f"checksums={config.checksums}: these data have no data.root; say manifest=FILE")
    path = cli.path(config.manifest or cli.path(config.data.root) / "SHA256SUMS")
    if config.checksums == "check" and not path.is_file():
        raise ValueError(f"checksums=check: {path} is not there; make it with checksums=write")
    return Manifest(path, partial(tracked, said="summing up"))


def _summed(what: str, manifest: "Manifest", findings: "Findings") -> str:
    """Write the sums, or hold the files against them: what differs becomes a fault. What was done, in words."""
    if what == "check":
        for fault in manifest.check(findings.files):
            findings.fault("all", fault)
        return f", held against {manifest.path}"
    if findings.faults:
        return ", whose sums are not written while there are faults"
    return f", {manifest.write(findings.files)} sums written to {manifest.path}"


def main() -> None:
    """The command."""
    cli.main("doctor", doctor)


if __name__ == "__main__":
    main()
