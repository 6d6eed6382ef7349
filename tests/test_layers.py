"""Imports point one way; import-linter's contracts in pyproject.toml say which."""

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from src.run.plugins import ROOT


def test_imports_obey_the_layers(capsys):
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out
