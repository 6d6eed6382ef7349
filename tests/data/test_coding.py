import pytest

from src.data.coding import coding

ROADS = ("road", "pavement", "car", "van", "sky")


def test_indices_are_the_default() -> None:
    found = coding(ROADS, void=255)
    assert found.values == {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 255: 255}
    assert found.classes == ROADS
    assert len(set(found.colors)) == 5


def test_a_number_of_classes_names_them() -> None:
    assert coding(3).classes == ("0", "1", "2")


def test_255_is_a_class_or_unknown_only_where_that_is_said() -> None:
    assert coding(None, "binary").values == {0: 0, 1: 1, 255: 1}
    assert coding(None, "binary").classes == ("background", "foreground")
    assert 255 not in coding(2).values
    with pytest.raises(ValueError, match=r"data\.void=255 is the class 'foreground' too"):
        coding(None, "binary", void=255)
    with pytest.raises(ValueError, match="needs two classes"):
        coding(3, "binary")


def test_declared_values_by_name_index_and_null() -> None:
    found = coding(("a", "b"), {7: "b", "9": 0, 11: None, 12: 255}, void=[20, 21])
    assert found.values == {7: 1, 9: 0, 11: 255, 12: 255, 20: 255, 21: 255}
    with pytest.raises(ValueError, match="maps to 'c', which is no class"):
        coding(("a", "b"), {7: "c"})
    with pytest.raises(ValueError, match="maps to 2, which is no class"):
        coding(("a", "b"), {7: 2})
    with pytest.raises(ValueError, match=r"data\.values=bianry"):
        coding(("a", "b"), "bianry")


def test_colors_name_the_classes_and_are_what_the_files_hold() -> None:
    found = coding(None, colors={"sky": [0, 0, 255], "road": [9, 9, 9]}, void=[0, 0, 0])
    assert found.classes == ("sky", "road")
    assert found.values == {(0, 0, 255): 0, (9, 9, 9): 1, (0, 0, 0): 255}
    assert found.colors == ((0, 0, 255), (9, 9, 9))
    assert coding(2, colors=[[1, 1, 1], [2, 2, 2]], void=[[0, 0, 0], [3, 3, 3]]).values[(3, 3, 3)] == 255
    drawn = coding(("road", "sky"), "indices", colors={"sky": [0, 0, 255], "road": [9, 9, 9]})
    assert (drawn.values, drawn.colors) == ({0: 0, 1: 1}, ((9, 9, 9), (0, 0, 255)))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"classes": None}, r"say data\.classes"),
        ({"classes": ["a", "a"]}, "a name of its own"),
        ({"classes": ["a", "b"], "values": "colors"}, r"needs data\.colors"),
        ({"classes": ["a", "b"], "colors": {"a": [0, 0, 0]}}, r"data\.colors is for \['a'\]"),
        ({"classes": ["a", "b"], "colors": [[0, 0, 0], [0, 0, 0]]}, "no two alike"),
        ({"classes": ["a"], "colors": [[0, 0, 256]]}, "is no color"),
        ({"classes": ["a"], "things": ["b"]}, r"data\.things names \['b'\]"),
    ],
)
def test_options_that_say_too_little_or_contradict_each_other(options: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        coding(**options)
