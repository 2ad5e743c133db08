"""What words are marked as, and what is said of a bad value."""

import pytest
from comfyd_cli.commands import REPL
from comfyd_cli.completion.index import Index
from comfyd_cli.prompt.lexer import _rows
from comfyd_cli.prompt.marks import marked
from hypothesis import given, settings
from hypothesis import strategies as st


def kinds(line: str, index: Index | None) -> list[tuple[str, str]]:
    return [(line[mark.start : mark.end], mark.kind) for mark in marked(line, REPL, index).marks]


def test_commands_names_values_and_options(index: Index):
    assert kinds("set seed 3 sampler euler ", index) == [
        ("set", "command"),
        ("seed", "parameter"),
        ("3", "number"),
        ("sampler", "parameter"),
        ("euler", "choice"),
    ]
    assert kinds("seed 3 -o a.png cfg -1 ", index) == [
        ("seed", "parameter"),
        ("3", "number"),
        ("-o", "option"),
        ("a.png", "argument"),
        ("cfg", "parameter"),
        ("-1", "bad"),
    ]
    assert kinds("workflow list --json", index)[:2] == [("workflow", "command"), ("list", "command")]
    assert kinds("every 2 ps --json", index) == [
        ("every", "command"),
        ("2", "argument"),
        ("ps", "command"),
        ("--json", "option"),
    ]
    assert kinds("again 12 seed random ", index)[1:] == [("12", "number"), ("seed", "parameter"), ("random", "number")]
    assert kinds("again seed 4 ", index)[1:] == [("seed", "parameter"), ("4", "number")]
    assert kinds("  # seed x", index) == [("  # seed x", "comment")]


def test_a_text_goes_on_to_the_next_name(index: Index):
    line = "prompt a seed in the soil seed 42 "
    assert [word for word, kind in kinds(line, index) if kind == "text"] == ["a", "seed", "in", "the", "soil"]
    assert kinds('prompt "a red fox" seed 1', index)[1] == ('"a red fox"', "text")


def test_unknown_words_once_they_are_whole(index: Index):
    assert kinds("sed 4 ", index)[0] == ("sed", "unknown")
    assert kinds("sed", index)[0] == ("sed", "argument")
    assert kinds("queue --jsn ", index)[1] == ("--jsn", "unknown")
    assert kinds("cancel x ", index)[1] == ("x", "unknown")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("steps 0 ", "steps takes an integer from 1 to 10000, not 0."),
        ("steps 10001", "steps takes an integer from 1 to 10000, not 10001."),
        ("set cfg warm ", "cfg takes a number from 0.0 to 100.0, not 'warm'."),
        ("sampler eulr ", "sampler has no choice 'eulr'; did you mean 'euler'?"),
        ("5.seed 1.5 ", "5.seed takes"),
    ],
)
def test_a_bad_value_is_said_in_one_sentence(line: str, problem: str, index: Index):
    assert marked(line, REPL, index).problem.startswith(problem)


@pytest.mark.parametrize(
    "line", ["steps 0", "steps -", "cfg 1.", "cfg 1e", "width 1", "sampler eu", "seed ran", "seed +", "seed random "]
)
def test_what_may_become_good_is_no_problem(line: str, index: Index):
    assert marked(line, REPL, index).problem == ""


def test_without_a_catalogue_nothing_is_wrong():
    assert marked("steps 0 sed 1 ", REPL, None).problem == ""
    assert kinds("seed 3", None) == [("seed", "parameter"), ("3", "text")]


@given(st.text(alphabet="seed prompt-o\"'\\#\n012 every.", max_size=60))
@settings(max_examples=300, deadline=None)
def test_the_coloured_rows_are_the_line(text: str):
    rows = _rows(text, marked(text, REPL, None))
    assert "\n".join("".join(piece[1] for piece in row) for row in rows) == text
