"""Two processes give what one gives."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from src.run import checkpoint

TINY = [
    "model=unet_groupnorm",
    "model.decoder.widths=[16,16,16,16,16]",
    "loss=cross_entropy",
    "data.resolution=[32,48]",
    "data.lengths={train:8,val:5,test:2}",
    "data.batch_size=4",
    "optimizer=sgd",
    "trainer.max_epochs=2",
    "trainer.precision=32-true",
    "trainer.accelerator=cpu",
    "logger=none",
]
TWO = ["trainer.strategy=ddp", "trainer.devices=2"]
ROOT = Path(__file__).resolve().parents[1]
NODES = ["trainer=ddp", "trainer.num_nodes=2", "trainer.devices=1"]


def dense(command, *words):
    process = subprocess.run(
        [sys.executable, "-m", f"src.{command}", *words], capture_output=True, text=True, timeout=280
    )
    assert process.returncode == 0, process.stderr
    return process


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same training by one process and by two."""
    root = tmp_path_factory.mktemp("ddp")
    for name, more in (("one", []), ("two", TWO)):
        dense("train", *TINY, *more, f"data.cache_folder={root}/cache", f"hydra.run.dir={root}/{name}")
    return root


def test_two_processes_train_as_one(runs):
    states = [checkpoint.load(runs / name / "checkpoints" / "last.ckpt")["state_dict"] for name in ("one", "two")]
    for key, value in states[0].items():
        assert torch.allclose(states[1][key], value, rtol=1e-5, atol=1e-5), key


def test_one_checkpoint_scores_the_same_integers_in_two_processes(runs):
    written = []
    for name, more in (("alone", []), ("both", TWO)):
        output = runs / f"{name}.json"
        ckpt = f"ckpt={runs}/one/checkpoints/best.ckpt"
        dense("evaluate", ckpt, "trainer.accelerator=cpu", f"output={output}", *more)
        written.append(json.loads(output.read_text()))
    loss = [scores.pop("loss") for scores in written]
    assert written[0] == written[1]
    assert loss[0] == pytest.approx(loss[1], rel=1e-6)


def test_the_run_folder_is_written_once(runs):
    results = json.loads((runs / "two" / "results.json").read_text())
    assert results["status"] == "finished"
    assert results["score"] == pytest.approx(json.loads((runs / "one" / "results.json").read_text())["score"], abs=1e-3)


def torchrun(number, place, address, *words, prefix=()):
    """One of two nodes; each is started by itself, in the same folder."""
    command = [*prefix, sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    host, _, port = address.partition(":")
    command += [f"--node-rank={number}", f"--master-addr={host}", f"--master-port={port}", "-m", "src.train"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, *words], cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(nodes):
    """What each node printed."""
    try:
        said = [node.communicate(timeout=200)[0] for node in nodes]
    finally:
        for node in nodes:
            node.kill()
    assert [node.returncode for node in nodes] == [0, 0], "\n".join(said)
    return said


def as_one(folder, one):
    """Whether a run equals that of a single process: one results.json, the same weights and scores."""
    (results,) = folder.rglob("results.json")
    found, single = (json.loads(file.read_text()) for file in (results, one / "results.json"))
    assert found["status"] == "finished"
    assert found["score"] == pytest.approx(single["score"], abs=1e-3)
    states = [checkpoint.load(run / "checkpoints" / "last.ckpt")["state_dict"] for run in (results.parent, one)]
    for key, value in states[1].items():
        assert torch.allclose(states[0][key], value, rtol=1e-5, atol=1e-5), key
    return results.parent


@pytest.mark.long
def test_two_nodes_of_torchrun_are_one_run(runs, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = [*TINY, *NODES, f"data.cache_folder={runs}/cache"]
    first, second = ended([torchrun(number, tmp_path, address, *words) for number in (0, 1)])
    folder = as_one(tmp_path / "runs", runs / "one")
    assert f"run       {folder}" in first
    assert second == ""
    assert len(list((tmp_path / "runs").glob("*/*"))) == 1


@pytest.mark.long
def test_a_model_divided_over_two_processes_trains_as_one(runs, tmp_path):
    words = [*TINY, f"data.cache_folder={runs}/cache", "trainer=fsdp", "trainer.devices=2", "optimizer.fused=false"]
    dense("train", *words, f"hydra.run.dir={tmp_path}/fsdp")
    as_one(tmp_path / "fsdp", runs / "one")


@pytest.mark.long
def test_two_processes_in_each_job_of_a_sweep_are_one_run_each(runs, tmp_path):
    rest = [word for word in TINY if word != "logger=none"]
    words = [*rest, "logger=wandb", "trainer=ddp", "trainer.devices=2", f"data.cache_folder={runs}/cache"]
    dense("train", "-m", *words, "seed=0,1", f"hydra.sweep.dir={tmp_path}/sweep", "sweep.jobs=1")
    jobs = sorted(file.parent for file in (tmp_path / "sweep").rglob("results.json"))
    assert [job.name for job in jobs] == ["0_seed-0", "1_seed-1"]
    for job in jobs:
        assert json.loads((job / "results.json").read_text())["status"] == "finished"
        assert len(list((job / "wandb").glob("offline-run-*"))) == 1
    as_one(jobs[0], runs / "one")


def namespaces():
    """Whether this process may make networks of its own."""
    try:
        made = subprocess.run(["ip", "netns", "add", "dense-probe"], capture_output=True, timeout=20)
        subprocess.run(["ip", "netns", "del", "dense-probe"], capture_output=True, timeout=20)
    except OSError:
        return False
    return made.returncode == 0


@pytest.fixture
def network():
    """Two network namespaces joined by a cable: the words that start a process in each."""
    if not namespaces():
        pytest.skip("network namespaces need root and the program ip")
    names = [f"dense-{os.getpid()}-{number}" for number in (0, 1)]

    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "dense0", "netns", names[0], "type", "veth", "peer", "name", "dense1", "netns", names[1])
        for number, name in enumerate(names):
            ip("-n", name, "addr", "add", f"10.213.7.{number + 1}/24", "dev", f"dense{number}")
            ip("-n", name, "link", "set", f"dense{number}", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield [["ip", "netns", "exec", name, "env", f"GLOO_SOCKET_IFNAME=dense{n}"] for n, name in enumerate(names)]
    finally:
        for name in names:  # the cable goes with them
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=20)


@pytest.mark.long
def test_two_nodes_in_networks_of_their_own_are_one_run(runs, tmp_path, network):
    words = [*TINY, *NODES, f"data.cache_folder={runs}/cache"]
    ended([torchrun(n, tmp_path, "10.213.7.1:29500", *words, prefix=network[n]) for n in (0, 1)])
    as_one(tmp_path / "runs", runs / "one")
