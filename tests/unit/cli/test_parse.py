"""Tokens to a command and its values."""

from contextlib import suppress

import pytest
from comfyd_cli.commands import REPL
from comfyd_cli.parse import find, pairs, parse, split, unfinished
from hypothesis import given
from hypothesis import strategies as st

from comfyd.errors import UsageError


def parsed(*tokens: str) -> dict[str, object]:
    command, rest = find(tokens)
    return parse(command, rest)


def refusal(*tokens: str) -> str:
    with pytest.raises(UsageError) as caught:
        parsed(*tokens)
    return caught.value.message


def test_a_run_with_values_and_options_anywhere():
    values = parsed("run", "--json", "demo", "prompt", "a red fox", "-o", "x.png", "seed", "42", "--quiet")
    assert values["workflow"] == "demo"
    assert values["words"] == ["prompt", "a red fox", "seed", "42"]
    assert (values["output"], values["json"], values["quiet"], values["detach"]) == ("x.png", True, True, False)


@pytest.mark.parametrize("value", ["-1", "-0.5", "-.5", "-1e3", "-", "-old house", "--json is a flag", ""])
def test_a_value_may_begin_with_a_dash(value: str):
    assert parsed("run", "demo", "cfg", value)["words"] == ["cfg", value]
    assert parsed("run", "demo", "prompt", "a", "fox", value)["words"] == ["prompt", "a", "fox", value]


def test_options_stay_options_within_an_unquoted_prompt():
    values = parsed("run", "demo", "prompt", "a", "red", "fox", "-ox.png", "in", "--json", "snow", "seed", "-1")
    assert values["words"] == ["prompt", "a", "red", "fox", "in", "snow", "seed", "-1"]
    assert (values["output"], values["json"]) == ("x.png", True)
    assert "no option '-xold'" in refusal("run", "demo", "prompt", "-xold", "house")


def test_an_exact_option_is_one_even_where_a_value_is_due():
    assert refusal("run", "demo", "seed", "--json").startswith("'seed' has no value")


def test_after_two_dashes_nothing_is_an_option():
    assert parsed("run", "demo", "--", "prompt", "--json")["words"] == ["prompt", "--json"]


@pytest.mark.parametrize("tokens", [("-ox.png",), ("-o", "x.png"), ("--output=x.png",), ("--output", "x.png"), ("-qox.png",)])
def test_ways_to_write_an_option_with_a_value(tokens: tuple[str, ...]):
    assert parsed("run", "demo", *tokens)["output"] == "x.png"


def test_switches_may_be_joined():
    values = parsed("run", "-qd", "demo")
    assert values["quiet"] is values["detach"] is True


def test_defaults():
    values = parsed("history")
    assert (values["count"], values["json"], values["no_start"]) == (20, False, False)
    assert parsed("repl")["workflow"] is None


def test_jobs_are_numbers():
    assert parsed("cancel", "3", "4")["jobs"] == [3, 4]
    assert refusal("watch", "x") == "JOB is a number from 1 on, not 'x'."
    assert "not '9999999999999999999'" in refusal("watch", "9999999999999999999")


@pytest.mark.parametrize(
    ("tokens", "fix"),
    [
        (("rnu",), "did you mean 'run'?"),
        (("run",), "run needs WORKFLOW"),
        (("run", "demo", "seed"), "'seed' has no value"),
        (("run", "demo", "seed=4"), "Write 'seed 4' instead of 'seed=4'"),
        (("run", "demo", "5.seed=4", "cfg=1"), "Write '5.seed 4'"),
        (("run", "demo", "--jsn"), "did you mean '--json'?"),
        (("run", "demo", "-x"), "run has no option '-x'"),
        (("run", "demo", "-o"), "-o needs PATH after it"),
        (("status", "now"), "status takes no 'now'"),
        (("status", "--json=1"), "status has no option '--json=1'"),
        (("history", "-n", "0"), "-n N is a number from 1 on, not '0'"),
        (("--jsno",), "There is no option '--jsno'"),
        (("engine",), "engine needs one of install, use, status, remove"),
        (("engine", "instal"), "did you mean 'install'?"),
        (("cancel",), "cancel needs JOB"),
    ],
)
def test_refusals_carry_the_fix(tokens: tuple[str, ...], fix: str):
    assert fix in refusal(*tokens)


def test_help_is_asked_for_anywhere_but_in_a_value():
    assert parsed("run", "--help") == {"help": True, "workflow": None}
    assert parsed("run", "demo", "seed", "-h") == {"help": True, "workflow": "demo"}
    assert parsed("params", "demo", "-h") == {"help": True, "workflow": None}
    assert parsed("run", "demo", "prompt", "-help me")["words"] == ["prompt", "-help me"]


def test_commands_of_two_words():
    assert parsed("engine", "use", "/there") == {"path": "/there", "yes": False}


def test_the_repl_has_commands_of_its_own():
    assert find(["set", "seed", "1"], REPL)[0].handler == "prompt.values:set_"
    assert find(["run", "seed", "1"], REPL)[0].where == "repl"
    with pytest.raises(UsageError):
        find(["set"])


def test_a_text_of_several_lines():
    assert split('prompt """\na "red"\n fox\'s\n""" seed 1') == ["prompt", 'a "red"\n fox\'s', "seed", "1"]
    assert split('prompt """""" seed 1') == ["prompt", "", "seed", "1"]
    assert unfinished('prompt """a')
    assert not unfinished('prompt """a""" seed 1')
    with pytest.raises(UsageError, match='end it with """'):
        split('prompt """a')


def test_a_line_is_split_as_a_shell_would():
    assert split('prompt "a red  fox" seed 42') == ["prompt", "a red  fox", "seed", "42"]
    assert split("'Positive Prompt'.text x") == ["Positive Prompt.text", "x"]


def test_an_apostrophe_within_a_word_is_one():
    assert split("prompt it's the dog's 'old hat'") == ["prompt", "it's", "the", "dog's", "old hat"]
    assert split("""prompt 'it'"'"'s'""") == ["prompt", "it's"]


@pytest.mark.parametrize(("line", "fix"), [("prompt a 'cat", "A quote is not closed"), ("prompt \\", "backslash")])
def test_a_line_that_cannot_be_split(line: str, fix: str):
    with pytest.raises(UsageError, match=fix):
        split(line)


@given(st.lists(st.tuples(st.from_regex(r"[a-z0-9.]+", fullmatch=True), st.text()), max_size=5))
def test_any_value_comes_through_after_two_dashes(given_pairs: list[tuple[str, str]]):
    tokens = [token for pair in given_pairs for token in pair]
    assert parsed("run", "demo", "--", *tokens)["words"] == tokens
    assert pairs(tokens) == given_pairs


@given(st.lists(st.text(), max_size=8))
def test_tokens_are_parsed_or_refused(tokens: list[str]):
    with suppress(UsageError):
        parsed("run", *tokens)


@given(st.text())
def test_lines_are_split_or_refused(line: str):
    with suppress(UsageError):
        pairs(split(line))


@pytest.mark.parametrize("token", ["bad \udcff", "--\udcff"])
def test_what_is_no_text_is_refused(token: str):
    assert "is not valid UTF-8 text" in refusal("run", "demo", "prompt", token)


@pytest.mark.parametrize(
    ("tokens", "fix"),
    [
        (("-output", "x.png"), "no option '-output'; did you mean '--output'?"),
        (("-out", "x.png"), "did you mean '--output'?"),
        (("-quite",), "no option '-quite'; did you mean '--quiet'?"),
        (("-json",), "did you mean '--json'?"),
    ],
)
def test_an_option_that_lacks_a_dash(tokens: tuple[str, ...], fix: str):
    assert fix in refusal("run", "demo", *tokens)
