from pathlib import Path

import pytest

from src.run.inference.source import found

SUFFIXES = (".png", ".jpg")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.png", "b.JPG", "notes.txt", "sub/c.d.png", ".hidden/e.png", ".DS_Store", "out/a.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(inputs: list[Path], output: Path) -> tuple[list[str], list[str]]:
    images, others = found(inputs, output, SUFFIXES)
    return [source.name for source in images], [source.name for source in others]


def test_a_folder_means_all_below_it_but_hidden_files_and_the_output(root):
    assert names([root], root / "out") == (["a", "b", "sub/c.d"], ["notes"])


def test_a_file_is_called_by_its_own_name(root):
    assert names([root / "sub" / "c.d.png"], root / "out") == (["c.d"], [])


def test_a_glob_keeps_the_folders_below_its_first_star(root):
    assert names([root / "**" / "*.png"], root / "out") == (["a", "sub/c.d"], [])
    assert names([root / "s*"], root / "out") == (["sub/c.d"], [])
    assert names([root / "[ab].*"], root / "out") == (["a", "b"], [])


def test_several_inputs_name_a_file_once(root):
    assert names([root / "b.JPG", root / "*.*"], root / "out") == (["b", "a"], ["notes"])


def test_a_file_that_is_named_itself_is_taken_for_an_image(root):
    assert names([root / "notes.txt"], root / "out") == (["notes"], [])


def test_what_cannot_be_read_is_not_passed_over(root):
    (root / "x.png").mkdir()
    (root / "y.png").symlink_to(root / "nowhere")
    assert names([root], root / "out")[0] == ["a", "b", "sub/c.d", "x", "y"]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("z.png", "there is no such file or folder"),
        ("*.tif", "no file matches"),
        ("no/*.png", "no file matches"),
        ("empty", "there are no files in this folder"),
        ("texts", "none of its 1 files is an image by its suffix; images end in .png, .jpg"),
    ],
)
def test_an_input_that_means_nothing_is_refused(root, wanted, reason):
    (root / "empty").mkdir()
    (root / "texts").mkdir()
    (root / "texts" / "a.txt").touch()
    with pytest.raises(ValueError, match=f"{reason}$"):
        found([root, root / wanted], root / "out", SUFFIXES)
