"""Where Hydra finds `experiments/` and our launcher; registered from here, without a top-level plugin folder."""

from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"


class Root(SearchPathPlugin):
    """Adds the folder that holds `experiments/`, so that `experiments=X` works from any folder."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append("dense-labeling", f"file://{ROOT}")


def register() -> None:
    """Make our plugins known to Hydra; may be called more than once."""
    from src.run.launcher import Processes  # imports hydra's launcher interface, which a bare `--help` can wait for

    for plugin in (Root, Processes):
        Plugins.instance().register(plugin)
    # Hydra builds launchers only from below this name, registered or not
    Plugins.instance().class_name_to_class[f"hydra_plugins.{Processes.__module__}.Processes"] = Processes
