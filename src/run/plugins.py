"""Where Hydra finds `experiments/` and our launcher; registered from here, without a top-level plugin folder."""

from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"


class Experiments(FileConfigSource):
    """The folder `experiments/` as the group `experiments`, and nothing else of what lies beside it."""

    @staticmethod
    def scheme() -> str:
        """The prefix of search path entries that are read by this class."""
        return "experiments"

    def is_group(self, config_path: str) -> bool:
        """Whether a folder is a config group: only this one is."""
        return config_path in ("", "experiments")

    def is_config(self, config_path: str) -> bool:
        """Whether a file is a config: only one below this folder is."""
        return config_path.startswith("experiments/") and super().is_config(config_path)

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """What is in a group."""
        if config_path != "":
            return super().list(config_path, results_filter)
        return [] if results_filter == ObjectType.CONFIG else ["experiments"]


class Root(SearchPathPlugin):
    """Adds the folder that holds `experiments/`, so that `experiments=X` works from any folder."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Hydra calls this by name."""
        search_path.append("dense-labeling", f"{Experiments.scheme()}://{ROOT}")


def register() -> None:
    """Make our plugins known to Hydra; may be called more than once."""
    from src.run.launcher import Processes  # imports hydra's launcher interface, which a bare `--help` can wait for

    for plugin in (Experiments, Root, Processes):
        Plugins.instance().register(plugin)
    # Hydra builds launchers only from below this name, registered or not
    Plugins.instance().class_name_to_class[f"hydra_plugins.{Processes.__module__}.Processes"] = Processes
