"""The front door of every command: composes the config, runs the job, and turns a user's mistake into one clear line.

Nothing here imports torch, so that `--help` and a misspelt option answer at once.
"""

import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import hydra
import yaml
from hydra.conf import HydraConf
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.run import plugins
from src.run.build import plain
from src.run.check import check
from src.run.nearest import did_you_mean
from src.run.secret import refuse, refuse_in

_FREE = ("hydra.job.env_set.", "hydra.job_logging.", "hydra.hydra_logging.", "hydra.launcher.", "hydra.sweeper.")
VERSION = "1.3"  # of Hydra's behaviour: jobs stay in the folder they were started from


def main(command: str, job: Callable[[DictConfig], Any]) -> None:
    """Compose conf/<command>.yaml with the command line and run `job` on it.

    A ValueError of the job, and any mistake in the overrides, ends in one line on stderr and exit status 1;
    HYDRA_FULL_ERROR=1 shows the traceback instead.
    """
    plugins.register()
    wanted = os.environ.get("HYDRA_FULL_ERROR") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises instead of printing, and the line below is ours

    begun = False

    @functools.wraps(job)
    def told(config: DictConfig) -> Any:
        nonlocal begun
        begun = True
        try:
            check_hydra(HydraConfig.get().overrides.hydra)
            _check_mode(command)
            refuse_in(plain(config))
            check(plain(config), command)
            return job(config)
        except ValueError as error:  # here, before Hydra prints what it makes of it
            if wanted:
                raise
            _fail(str(error))

    told.command = command  # for a sweep, which checks its jobs before it starts them
    try:
        refuse(sys.argv[1:])
        hydra.main(version_base=VERSION, config_path=str(plugins.CONF), config_name=command)(told)()
    except (ValueError, HydraException, OmegaConfBaseException) as error:
        if wanted:
            raise
        _fail(explained(error, command, [word for word in sys.argv[1:] if not word.startswith("-")]))
    except BrokenPipeError:  # whoever read it has seen enough: `--help | head`
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        if wanted or begun:
            raise
        _fail(f"{error.filename}: cannot be written to ({error.strerror}); choose another hydra.run.dir")
    finally:
        os.environ["HYDRA_FULL_ERROR"] = "1" if wanted else "0"


def compose(command: str, overrides: list[str]) -> DictConfig:
    """conf/<command>.yaml with the overrides, as the command itself would see it (without `hydra`)."""
    plugins.register()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(plugins.CONF), version_base=VERSION):
        return hydra.compose(command, overrides)


def explained(error: Exception, command: str, overrides: list[str]) -> str:
    """What went wrong, with the nearest valid option, group or key where there is one."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, option = error.missing_cfg_file.rpartition("/")
        options = options_of(group)
        if not options:
            return f"{group}: no such group{did_you_mean(group, plugins.groups())} See --help for all of them"
        return f"{group}={option}: no such choice{did_you_mean(option, options)} There are: {', '.join(options)}"
    if isinstance(error, InstantiationException) and isinstance(error.__cause__, ValueError):
        return str(error.__cause__)
    if "Got NoneType" in str(error):
        empty = next((word.partition("=")[0] for word in overrides if word.endswith(("=null", "="))), "")
        return f"{empty}=null: one is needed. There are: {', '.join(options_of(empty))}"
    text = " ".join(str(part) for part in (error, error.__cause__) if part)
    unknown = re.search(r"Could not (?:override|append|delete)[^']*'([^']+)'", text)
    if not unknown:
        return str(error)
    key = unknown[1].partition("@")[0]
    if key in plugins.groups():
        whole, _, part = key.rpartition("/")
        if not whole:
            return f"{key}: is chosen in src.train, not in src.{command}. See --help for what is"
        have = [name for name in options_of(whole) if part in _parts(whole, name)]
        if not have:  # a group that is put where it is wanted, such as a norm
            place = unknown[1] if "@" in unknown[1] else f"{key}@PLACE, PLACE being that which takes it"
            return f"{unknown[1]}: nothing was chosen there yet; say +{place}; there are: {', '.join(options_of(key))}"
        return f"{key}: what was chosen has no {part}; what has one: {', '.join(f'{whole}={name}' for name in have)}"
    if "already at" in text:
        return f"{key}: is there already; say {key}=... without the +"
    return f"{key}: no such key or group{did_you_mean(key, _keys(command, overrides, key))} See --help for all of them"


def options_of(group: str) -> list[str]:
    """The choices of a config group, such as `loss` or `model/decoder`."""
    folders = (plugins.CONF / group, plugins.ROOT / group)
    return sorted({file.stem for folder in folders for file in folder.glob("*.yaml") if file.stem[0] != "_"})


def _parts(group: str, option: str) -> set[str]:
    """The groups below `group` that an option chooses from by itself."""
    said = yaml.safe_load((plugins.CONF / group / f"{option}.yaml").read_text("utf8")).get("defaults", [])
    return {key for item in said if isinstance(item, dict) for key in item}


def _keys(command: str, overrides: list[str], bad: str) -> Iterator[str]:
    yield from plugins.groups()
    yield from ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
    good = tuple(word for word in overrides if word.lstrip("+~").partition("=")[0] != bad and not _sweeps(word))
    try:
        yield from _composed_keys(command, good)
    except (HydraException, OmegaConfBaseException):  # a second mistake: what was chosen has by itself must do
        chosen = tuple(word for word in good if word.partition("=")[0] in plugins.groups())
        yield from _composed_keys(command, chosen)


def _sweeps(word: str) -> bool:
    """Whether an override is several, as in `seed=0,1`; commas in brackets are a list's."""
    return "," in re.sub(r"[\[{(].*[\]})]", "", word)


@functools.cache
def _composed_keys(command: str, overrides: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_dotted(OmegaConf.to_container(compose(command, list(overrides)), resolve=False)))


def _dotted(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _dotted(value, f"{prefix}{key}.")


def check_hydra(overrides: Iterable[str]) -> None:
    """Raise ValueError for a key that Hydra does not have: with a + it takes any, and forgets it."""
    known = set(_dotted({"hydra": OmegaConf.to_container(OmegaConf.structured(HydraConf), resolve=False)}))
    for override in overrides:
        key = override.partition("=")[0]
        if key[0] == "+" and key.lstrip("+") not in known and not key.lstrip("+").startswith(_FREE):
            key = key.lstrip("+")
            raise ValueError(f"{key}: Hydra has no such key{did_you_mean(key, known)}")


def _check_mode(command: str) -> None:
    """Raise ValueError for options of a sweep where there is none: the one run would not heed them."""
    hydra = HydraConfig.get()
    asked = [word for word in hydra.overrides.task if word.startswith(("sweep=", "sweep."))]
    if asked and hydra.mode is not RunMode.MULTIRUN:
        raise ValueError(f"{asked[0]} is for several runs: python -m src.{command} -m {asked[0]} ...")


def _fail(message: str) -> NoReturn:
    print(f"error: {message.strip()}", file=sys.stderr)
    sys.exit(1)


def path(text: str | Path) -> Path:
    """A path as the user wrote it, relative to the folder the command was started in, with ~ expanded.

    Raises:
        ValueError: it is an address; nothing is ever fetched because a path says so.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(text)):
        raise ValueError(f"{text}: addresses are not opened; fetch the file yourself and give its path")
    return Path(text).expanduser().absolute()
