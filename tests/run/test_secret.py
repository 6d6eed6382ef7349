import subprocess
import sys

import pytest

from src.run.secret import refuse, refuse_in, refuse_lines

SECRETS = [
    "+logger.wandb.api_key=canary",
    "+logger.wandb.api-key=canary",
    "logger.wandb.settings={api_key: canary}",
    '+logger.headers={"Authorization": canary}',
    "+logger.mlflow.tags={password:canary}",
    "hydra.job.env_set.WANDB_API_KEY=canary",
    "logger.mlflow.tracking_uri=http://me:canary@host/",
    "+a.secret=${oc.env:canary}",
    "logger.wandb.notes='token: canary'",
]
HARMLESS = [
    "loss=dice",
    "model.backbone.class_token=true",
    "+a.token=null",
    "+a.token=1e-3",
    "a.num_tokens=3",
    "+a.tokenizer=bert",
    "data.root=http://host/a:b@c",
    "data.root=/data/token=3/x",
    "+a.secret=",
]


@pytest.mark.parametrize("word", SECRETS)
def test_a_secret_is_refused_and_not_repeated(word):
    with pytest.raises(ValueError, match="environment") as caught:
        refuse(["model=unet", word])
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("word", HARMLESS)
def test_what_is_no_secret_passes(word):
    refuse([word])
    refuse_lines(word.replace("=", ": ", 1), "a.yaml")


def test_a_yaml_is_refused_by_line_and_its_comments_are_not():
    refuse_lines("a: 1 # api_key: canary\n# password: canary\n", "a.yaml")
    with pytest.raises(ValueError, match=r"a\.yaml, line 2: looks like a key") as caught:
        refuse_lines("logger:\n  api_key: canary\n", "a.yaml")
    assert "canary" not in str(caught.value)


def test_what_the_environment_keeps_is_refused_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "canary-canary")
    refuse_in({"a": ["b", 1, None, {"c": "canary"}]})
    with pytest.raises(ValueError, match=r"a\[0\]\.b: is the value of the environment variable SOME_TOKEN"):
        refuse_in({"a": [{"b": "it is canary-canary"}]})


def test_the_command_leaves_no_trace_of_a_secret(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.yaml").write_text("defaults: [train, _self_]\nnotes: {token: canary}\n")
    line = [sys.executable, "-m", "src.train", f"hydra.run.dir={tmp_path}/run"]
    for more in (["+logger.wandb.api_key=canary"], ["--config-dir", str(tmp_path / "mine"), "--config-name", "own"]):
        done = subprocess.run([*line, *more], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert "looks like a key or password" in done.stderr
        assert "canary" not in done.stdout + done.stderr
        assert not (tmp_path / "run").exists()
