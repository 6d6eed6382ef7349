"""docs/cluster.md holds: every command composes and passes the checks of a run, and the links lead somewhere."""

import re
import shlex

import pytest
import yaml

from src.run import cli, plugins
from src.run.build import plain
from src.run.check import check

TEXT = (plugins.ROOT / "docs" / "cluster.md").read_text()
LINES = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.S) for line in block.splitlines()]
COMMANDS = [line for line in LINES if not line.startswith("#")]


def test_every_command_is_composed_here():
    assert len(COMMANDS) >= 10
    assert all(" -m src.train " in line or " -m src.report " in line for line in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_composes(command):
    program, _, rest = command.partition(" -m src.")
    name, *words = shlex.split(rest)
    assert program.split()[0] in ("python", "torchrun", "srun")
    plainly = [word for word in words if word != "-m" and "(" not in word and not re.match(r"hydra[./]", word)]
    own = [word.partition(",")[0] for word in plainly]  # of what is swept the first; what is searched has no value yet
    check(plain(cli.compose(name, own)), name)
    launcher = next((word.partition("=")[2] for word in words if word.startswith("hydra/launcher=")), None)
    if launcher:
        known = yaml.safe_load((plugins.CONF / "hydra" / "launcher" / f"{launcher}.yaml").read_text())
        said = {word.removeprefix("hydra.launcher.").partition("=")[0] for word in words if "hydra.launcher." in word}
        assert said <= known.keys()


def test_the_job_asks_for_as_many_tasks_as_the_run_has_processes():
    script = "\n".join(LINES)
    asked = [int(re.search(rf"#SBATCH.* --{name}=(\d+)", script)[1]) for name in ("nodes", "ntasks-per-node")]
    (line,) = (line for line in COMMANDS if line.startswith("srun python"))
    assert asked == [int(re.search(rf"trainer\.{name}=(\d+)", line)[1]) for name in ("num_nodes", "devices")]


def test_links_lead_to_sections():
    for file, anchor in re.findall(r"\]\(([^)#]+)#([^)]+)\)", TEXT):
        headings = re.findall(r"^#+ (.*)$", (plugins.ROOT / "docs" / file).read_text(), re.M)
        assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
