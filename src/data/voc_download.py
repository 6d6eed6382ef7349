"""The official archive of PASCAL VOC 2012, fetched, checked and unpacked."""

import shutil
import tarfile
from pathlib import Path

from torchvision.datasets.utils import download_url

URL = "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar"
MD5 = "6cd6e144f989b92b3379bac3b3de84fd"  # as torchvision has it


def download(root: Path, url: str = URL, md5: str = MD5) -> None:
    """Fetch and unpack the archive into `root`, unless `root/VOCdevkit/VOC2012` is there.

    Raises:
        ValueError: no network, another file than expected, or an archive that reaches outside its folder; nothing
            half unpacked is left.
    """
    target = root / "VOCdevkit"
    if (target / "VOC2012").is_dir():
        return
    archive, draft = root / Path(url).name, root / "VOCdevkit.unpacking"
    try:
        download_url(url, root, md5=md5)
        with tarfile.open(archive) as tar:
            tar.extractall(draft, filter="data")  # refuses absolute paths, "..", links that lead outside, devices
        (draft / "VOCdevkit").replace(target)
        archive.unlink()
    except (OSError, RuntimeError, tarfile.TarError) as error:
        raise ValueError(
            f"VOC 2012 cannot be fetched from {url} into {root}: {error}; say data.root instead"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
