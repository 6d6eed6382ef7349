import subprocess

import pytest

from src.run.diagnosis.manifest import Manifest


@pytest.fixture
def files(tmp_path):
    (tmp_path / "data/a").mkdir(parents=True)
    (tmp_path / "data/a/x.png").write_bytes(b"one")
    (tmp_path / "data/y z.png").write_bytes(b"two")
    (tmp_path / "beside.txt").write_bytes(b"three")
    return [str(tmp_path / name) for name in ("data/a/x.png", "data/y z.png", "beside.txt")]


def test_what_was_written_holds_for_us_and_for_sha256sum(files, tmp_path):
    manifest = Manifest(tmp_path / "data/SHA256SUMS")
    assert manifest.write(files) == 3
    assert manifest.check(files) == []
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "data", check=False)
    assert done.returncode == 0


def test_changed_gone_and_new_files_are_named(files, tmp_path):
    manifest = Manifest(tmp_path / "data/SHA256SUMS")
    manifest.write(files)
    (tmp_path / "data/a/x.png").write_bytes(b"ond")
    (tmp_path / "beside.txt").unlink()
    (tmp_path / "data/new.png").touch()
    changed, gone, new = sorted(manifest.check([*files, str(tmp_path / "data/new.png")]), key=len, reverse=True)
    said = " ".join((changed, gone, new))
    assert f"{tmp_path}/data/a/x.png: its bytes are not those that were summed up" in said
    assert f"{tmp_path}/beside.txt: it is gone" in said
    assert f"{tmp_path}/data/new.png: it is not in" in said


def test_a_manifest_that_is_none(files, tmp_path):
    with pytest.raises(ValueError, match=r"SHA256SUMS cannot be read .*checksums=write"):
        Manifest(tmp_path / "SHA256SUMS").check(files)
    (tmp_path / "SHA256SUMS").write_text("hello\n")
    with pytest.raises(ValueError, match="no list of SHA-256 sums"):
        Manifest(tmp_path / "SHA256SUMS").check(files)
