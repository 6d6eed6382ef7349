import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution as Choice
from optuna.distributions import FloatDistribution as Float
from optuna.distributions import IntDistribution as Int

from src.run.sweep.search.space import Space, text

PARSER = OverridesParser.create()


def space(said: dict | None = None, *words: str) -> Space:
    return Space(said or {}, PARSER.parse_overrides(list(words)), PARSER)


@pytest.mark.parametrize(
    ("word", "yaml", "expected"),
    [
        ("tag(log,interval(1e-4,1e-1))", {"low": 1e-4, "high": 0.1, "log": True}, Float(1e-4, 0.1, log=True)),
        ("interval(0,1)", {"low": 0.0, "high": 1.0}, Float(0, 1)),
        ("int(interval(1,5))", {"low": 1, "high": 5}, Int(1, 5)),
        ("tag(log,int(interval(1,64)))", {"low": 1, "high": 64, "log": True}, Int(1, 64, log=True)),
        ("range(4,17,4)", {"low": 4, "high": 16, "step": 4}, Int(4, 16, step=4)),
        ("range(0,1,0.25)", {"low": 0.0, "high": 0.75, "step": 0.25}, Float(0, 0.75, step=0.25)),
        ("choice(dice,cross_entropy)", ["dice", "cross_entropy"], Choice(["dice", "cross_entropy"])),
        ("1,2.5,null", [1, 2.5, None], Choice(["1", "2.5", "null"])),
        ("[1,2],[3,4]", [[1, 2], [3, 4]], Choice(["[1,2]", "[3,4]"])),
    ],
)
def test_the_command_line_and_yaml_say_the_same(word, yaml, expected):
    assert space({}, f"x={word}").distributions == {"x": expected}
    assert space({"x": yaml}).distributions == {"x": expected}
    assert space({"x": word}).distributions == {"x": expected}


def test_the_command_line_counts_more():
    assert "x" not in Space({"x": [1, 2]}, [], PARSER, {"x"}).distributions
    assert space({"x": [1, 2], "y": [3, 4]}, "x=5,6").distributions == {
        "x": Choice(["5", "6"]),
        "y": Choice(["3", "4"]),
    }


def test_choices_become_overrides_that_hydra_reads_back():
    found = space({"+a.b": ["x y", None, 0.1, {"k": [1, "v,w"]}, "null"]}, "lr=interval(0,1)")
    choices = found.distributions["+a.b"].choices
    words = [found.words({"+a.b": choice, "lr": 1e-05 / 3}) for choice in choices]
    values = [[override.value() for override in PARSER.parse_overrides(each)] for each in words]
    assert [b for b, _ in values] == ["x y", None, 0.1, {"k": [1, "v,w"]}, "null"]
    assert {lr for _, lr in values} == {1e-05 / 3}
    assert found.short({"+a.b": "c", "lr": 1e-05 / 3}) == ["+a.b=c", "lr=3.33e-06"]


def test_nested_keys_are_dotted_ones():
    assert space({"a": {"b": {"low": 1, "high": 2}, "c/d": ["x", "y"]}}).distributions == {
        "a.b": Int(1, 2),
        "a.c/d": Choice(["x", "y"]),
    }


def test_a_word_stays_a_word():
    assert [text(value) for value in ("cross_entropy", "a/b.c", "1", "true story")] == [
        "cross_entropy",
        "a/b.c",
        "'1'",
        "'true story'",
    ]


def test_edges_show_every_choice_and_both_ends_once():
    found = space({"x": {"low": 1, "high": 3}, "y": ["a", "b", "c"], "z": {"low": 2, "high": 2}})
    shown = [tuple(edge.values()) for edge in found.edges()]
    assert shown == [(1, "a", 2), (3, "a", 2), (1, "b", 2), (1, "c", 2)]


def test_a_grid_has_no_rounding_at_its_end():
    values = [combination["x"] for combination in space({"x": {"low": 0.1, "high": 0.7, "step": 0.2}}).grid()]
    assert values == pytest.approx([0.1, 0.3, 0.5, 0.7])


def test_a_grid_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="more than 10000 combinations; random takes some"):
        space({"x": {"low": 1, "high": 101}, "y": {"low": 1, "high": 101}}).grid()


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (0.1, "sweep.space.x=0.1: one value leaves nothing to choose; say a list"),
        ("dice", "sweep.space.x=dice: one value leaves nothing to choose"),
        ([], "leaves nothing to choose"),
        ("interval(1", "sweep.space.x=interval.1: is not understood; say a list"),
        ({"low": 1}, "a range needs low and high"),
        ({"low": 1, "hihg": 2}, "a range has low, high, log, step, no 'hihg'; did you mean 'high'?"),
        ({"low": "a", "high": 2}, "low, high and step are numbers"),
        ({"low": 3, "high": 2}, "low is more than high"),
        ({"low": 0, "high": 2.0, "log": True}, "a logarithmic range begins above 0 and has no step"),
        ({"low": 1, "high": 2, "step": 0}, "a step is more than 0"),
        ("tag(log,range(1,9,2))", "a logarithmic range begins above 0 and has no step"),
        ("range(3,3)", "there is nothing to choose from"),
    ],
)
def test_what_is_no_range_and_no_choice_is_told(said, complaint):
    with pytest.raises(ValueError, match=complaint):
        space({"x": said})
