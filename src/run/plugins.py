"""Where Hydra finds `experiments/` and our sweeper; registered from here, without a top-level plugin folder."""

import os
from importlib.util import find_spec
from pathlib import Path

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from src.run import yaml_file
from src.run.cluster import start

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"


class Files(FileConfigSource):
    """Folders of YAML files, none of which is read before it is known to be harmless."""

    def load_config(self, config_path: str) -> ConfigResult:
        """A config, by its path below the folder.

        Raises:
            ValueError: the file is no YAML, asks for Python objects, or would unfold into a flood.
        """
        path = Path(os.path.join(self.path, self._normalize_file_name(config_path)))  # noqa: PTH118
        if path.is_file():
            yaml_file.check(path)
        try:
            return super().load_config(config_path)
        except yaml.YAMLError as error:
            raise ValueError(f"{path}: is no YAML ({' '.join(str(error).split())})") from error


class Experiments(Files):
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
    from src.run.sweep.chosen import Chosen  # imports hydra's sweeper interface, which a bare `--help` can wait for

    OmegaConf.register_new_resolver("began", start.name, use_cache=True, replace=True)
    for plugin in (Experiments, Root, Chosen):
        Plugins.instance().register(plugin)
    SourcesRegistry.instance().types[Files.scheme()] = Files  # in place of Hydra's own, which is there by now
    built = [Chosen]
    if find_spec("hydra_plugins") and find_spec("hydra_plugins.hydra_submitit_launcher"):
        from src.run.cluster.launcher import Submitit

        built.append(Submitit)
        for file in ("submitit_local.yaml", "submitit_slurm.yaml"):  # the package's own; conf/hydra/launcher has ours
            ConfigStore.instance().repo["hydra"]["launcher"].pop(file, None)
    for part in built:  # Hydra builds sweepers and launchers only from below this name, registered or not
        Plugins.instance().class_name_to_class[f"hydra_plugins.{part.__module__}.{part.__name__}"] = part


def groups() -> list[str]:
    """The config groups, such as `model/decoder`."""
    folders = [path for path in CONF.rglob("*") if path.is_dir()]
    return ["experiments", *sorted(path.relative_to(CONF).as_posix() for path in folders)]
