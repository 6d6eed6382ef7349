"""A checkpoint, or several, on image files -> masks, overlays and, on request, probabilities and a map per class.

With a detector's checkpoint: COCO's results, masks, overlays and, on request, label images and a picture per object.
With one of numbers: 16-bit depth, normal maps, colorized photos, arrays and, on request, point clouds.

python -m src.predict ckpt=RUN/checkpoints/best.ckpt input=FILE_OR_FOLDER_OR_GLOB output=FOLDER
"""

import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from src.run import cli
from src.run.folder import claim


def predict(config: DictConfig) -> None:
    """Predict every file that `config.input` names; what could not be predicted is named at the end.

    Raises:
        ValueError: an option is wrong, or files could not be predicted.
    """
    for key in ("ckpt", "input", "output"):
        if OmegaConf.is_missing(config, key):
            raise ValueError(
                f"{key}=... is missing: python -m src.predict ckpt=FILE input=FILE_OR_FOLDER output=FOLDER"
            )
    output, checkpoints = cli.path(config.output), _paths(config.ckpt)
    annotations = _paths(config.coco) if config.coco else []
    for key, path in [*(("ckpt", path) for path in checkpoints), *(("coco", path) for path in annotations)]:
        if not path.is_file():
            raise ValueError(f"{key}={path}: there is no such file")

    from src.data.decode import SUFFIXES
    from src.run.inference.source import found

    sources, others = found(_paths(config.input), output, SUFFIXES)
    claim(output)

    from src.run.inference.session import Session

    session = Session(_plain(config) | {"coco": annotations[0] if annotations else None}, checkpoints, output)
    try:
        failures = session.run(sources, others)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    if failures:
        listed = "".join(f"\n  {failure}" for failure in failures)
        raise ValueError(f"{len(failures)} of {len(sources)} files could not be predicted:{listed}")


def _paths(value: Any) -> list[Path]:
    return [cli.path(item) for item in ([value] if isinstance(value, str) else value)]


def _plain(config: DictConfig) -> dict[str, Any]:
    from src.run.build import plain

    return plain(config)


def main() -> None:
    """The command."""
    cli.main("predict", predict)


if __name__ == "__main__":
    main()
