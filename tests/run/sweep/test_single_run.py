"""What a sweep's options mean for a run: nothing."""

from src.run import cli, resume
from src.run.build import plain
from src.run.check import check
from src.run.result import axes


def test_a_run_is_the_same_whatever_sweep_it_is_of():
    alone, swept = (plain(cli.compose("train", words)) for words in ([], ["sweep.jobs=3", "sweep.resume=false"]))
    assert alone["sweep"] != swept["sweep"]
    assert resume.identity(alone) == resume.identity(swept)


def test_a_config_from_before_there_were_sweeps_is_whole():
    settings = plain(cli.compose("train", []))
    del settings["sweep"]
    check(settings)


def test_options_of_a_sweep_are_no_axes():
    found = axes({"model": "unet", "sweep": "default", "hydra/sweeper": "chosen"}, ["sweep.jobs=3", "seed=1"])
    assert found == {"model": "unet", "seed": 1}
