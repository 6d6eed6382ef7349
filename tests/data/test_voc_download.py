import hashlib
import io
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from src.data.voc_download import download


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of `tmp_path`, served on this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def packed(path: Path, *names: str, link: str | None = None) -> str:
    """Write an archive of files, and perhaps a link; its checksum."""
    with tarfile.open(path, "w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 2
            tar.addfile(entry, io.BytesIO(b"hi"))
        if link:
            entry = tarfile.TarInfo("VOCdevkit/link")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            tar.addfile(entry)
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_it_is_unpacked_once(tmp_path: Path, site: str) -> None:
    root = tmp_path / "root"
    download(root, f"{site}/voc.tar", packed(tmp_path / "voc.tar", "VOCdevkit/VOC2012/a.txt"))
    assert (root / "VOCdevkit/VOC2012/a.txt").read_text() == "hi"
    assert [path.name for path in root.iterdir()] == ["VOCdevkit"]
    download(root, f"{site}/gone.tar", "0")


def test_no_network_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"VOC 2012 cannot be fetched from http://127\.0\.0\.1:9/voc\.tar into .*data\.root"
    ):
        download(tmp_path, "http://127.0.0.1:9/voc.tar", "0")


def test_another_file_than_expected(tmp_path: Path, site: str) -> None:
    packed(tmp_path / "voc.tar", "VOCdevkit/VOC2012/a.txt")
    with pytest.raises(ValueError, match="cannot be fetched"):
        download(tmp_path / "root", f"{site}/voc.tar", "0" * 32)
    assert not (tmp_path / "root/VOCdevkit").exists()


@pytest.mark.parametrize("name", ["../evil.txt", "VOCdevkit/../../evil.txt"])
def test_nothing_is_written_outside(tmp_path: Path, site: str, name: str) -> None:
    md5 = packed(tmp_path / "voc.tar", "VOCdevkit/VOC2012/a.txt", name)
    with pytest.raises(ValueError, match="cannot be fetched"):
        download(tmp_path / "root", f"{site}/voc.tar", md5)
    assert not list(tmp_path.rglob("evil.txt"))
    assert not (tmp_path / "root/VOCdevkit.unpacking").exists()


def test_links_that_lead_outside_are_refused(tmp_path: Path, site: str) -> None:
    md5 = packed(tmp_path / "voc.tar", "VOCdevkit/VOC2012/a.txt", link="/etc/passwd")
    with pytest.raises(ValueError, match="cannot be fetched"):
        download(tmp_path / "root", f"{site}/voc.tar", md5)
    assert not (tmp_path / "root/VOCdevkit").exists()
