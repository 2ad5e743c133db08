"""Candidates where they could stand: in a REPL's line and among a shell's words."""

from typing import get_args, get_type_hints

import pytest
from comfyd_cli.commands import REPL
from comfyd_cli.completion import Candidate, candidates, for_words
from comfyd_cli.completion.index import Index
from hypothesis import given, settings
from hypothesis import strategies as st

from comfyd.config import Config
from comfyd.workflow import Catalogue, load

from .conftest import CATALOGUE, Fake

WORDS = [
    "run",
    "set",
    "seed",
    "prompt",
    "4",
    " ",
    " ",
    "-",
    "--json",
    '"',
    "'",
    "\\",
    '"""',
    "sampler",
    "5.",
    "Positive Prompt",
    "eu",
]


def at_end(text: str, context: Fake) -> list[Candidate]:
    return candidates(text, len(text), context)


def texts(text: str, context: Fake, kind: str = "") -> list[str]:
    return [each.text for each in at_end(text, context) if kind in ("", each.kind)]


def shell_texts(line: str, context: Fake, kind: str = "") -> list[str]:
    return [each.text for each in for_words(line.split(" "), context) if kind in ("", each.kind)]


# ---------------------------------------------------------------- commands


def test_an_empty_line_offers_commands_and_names(repl: Fake) -> None:
    found = texts("", repl)
    assert {"run", "queue", "workflow", "prompt", "seed"} <= set(found)
    assert not any(text.startswith("-") for text in found)


def test_a_shell_begins_with_commands_only(shell: Fake) -> None:
    assert {each.kind for each in for_words([""], shell)} == {"command"}
    assert shell_texts("st", shell)[:3] == ["start", "stop", "status"]


@pytest.mark.parametrize(
    ("line", "first"),
    [("st", ["start", "stop", "status", "steps"]), ("qu", ["queue", "quit"]), ("engine i", ["install"])],
)
def test_what_begins_so_comes_first(repl: Fake, line: str, first: list[str]) -> None:
    assert texts(line, repl)[: len(first)] == first


def test_a_commands_second_word(shell: Fake) -> None:
    assert {"install", "use", "status", "remove"} <= set(shell_texts("engine ", shell, "command"))
    assert shell_texts("nonsense ", shell) == []


def test_help_takes_commands(repl: Fake) -> None:
    assert texts("help hist", repl, "command") == ["history"]
    assert "install" in texts("help engine ", repl, "command")


# ---------------------------------------------------------------- options


def test_options_only_where_they_may_stand_and_once(shell: Fake) -> None:
    assert "--json" in shell_texts("queue --", shell)
    assert "--json" not in shell_texts("queue --json --", shell)
    assert "--count" not in shell_texts("history -n 5 --", shell)
    assert shell_texts("run demo -- --", shell, "option") == []
    assert "--now" in shell_texts("stop ", shell)


def test_short_flags_where_one_dash_was_typed(shell: Fake) -> None:
    assert "-n" in shell_texts("history -", shell)
    assert "-n" not in shell_texts("history --", shell)


def test_the_value_of_an_option(shell: Fake) -> None:
    assert shell_texts("run demo --mode ", shell) == ["exact", "fast"]
    assert shell_texts("run demo --preview ", shell) == list(get_args(get_type_hints(Config)["preview"]))
    assert shell_texts("run demo --preview si", shell) == ["sixel"]
    assert shell_texts("run demo -o flo", shell) == ["flow.json"]
    assert shell_texts("history -n ", shell) == ["20"]
    assert shell_texts("history -n", shell)[0] == "-n"


def test_no_option_where_a_value_is_due(shell: Fake) -> None:
    assert shell_texts("run demo cfg -", shell, "option") == []
    assert "--json" in shell_texts("run demo cfg --", shell, "option")
    assert "--json" in shell_texts("run demo prompt a red fox --j", shell)


# ---------------------------------------------------------------- workflows and the rest


def test_a_workflow_by_name_and_by_path(shell: Fake) -> None:
    assert shell_texts("run ", shell)[:2] == ["demo", "my portrait"]
    assert shell_texts("run f", shell, "path") == ["flow.json", "folder/"]


def test_a_name_with_a_blank_is_quoted_in_a_line_and_raw_in_a_shell(repl: Fake, shell: Fake) -> None:
    assert texts("use my", repl) == ['"my portrait"']
    assert texts('use "my p', repl) == ['"my portrait"']
    assert shell_texts("run my", shell) == ["my portrait"]


def test_jobs_and_residents_not_given_yet(shell: Fake) -> None:
    assert shell_texts("cancel ", shell, "job") == ["12", "13"]
    assert shell_texts("cancel 12 ", shell, "job") == ["13"]
    assert shell_texts("watch 12 ", shell, "job") == []
    assert shell_texts("unload a.safetensors ", shell, "resident") == ["b.safetensors"]


def test_reset_takes_what_was_set(repl: Fake) -> None:
    repl.values = {"seed": "7"}
    assert texts("reset ", repl, "parameter") == ["seed"]


# ---------------------------------------------------------------- parameters


def test_names_plain_ones_first(repl: Fake) -> None:
    found = texts("run se", repl)
    assert found[0] == "seed"
    assert {"KSampler.seed", "5.seed"} <= set(found)


def test_own_aliases_titles_and_ids(repl: Fake) -> None:
    assert texts("moo", repl, "parameter") == ["mood"]
    assert texts("positive", repl, "parameter")[0] == '"Positive Prompt".text'
    assert texts('"Positive P', repl, "parameter")[0] == '"Positive Prompt".text'
    assert texts("2.", repl, "parameter")[0] == "2.text"


def test_letters_in_their_order_find_a_name(repl: Fake) -> None:
    assert "5.sampler_name" in texts("smplrnm", repl)
    assert texts("zzqq", repl) == []


def test_a_parameter_tells_type_range_and_value(repl: Fake) -> None:
    steps = next(each for each in at_end("steps", repl) if each.text == "steps")
    assert (steps.kind, steps.meta) == ("parameter", "INT 1 to 10000, now 8")


def test_a_shells_parameters_are_those_of_the_workflow_on_the_line(shell: Fake) -> None:
    assert "seed" in shell_texts("run demo --json se", shell)
    assert shell.asked[-1] == "demo"
    assert shell_texts("run unknown se", shell, "parameter") == []
    assert "seed" in shell_texts("plan demo se", shell)


def test_the_next_name_after_a_value(repl: Fake) -> None:
    assert texts("seed 4 ste", repl)[0] == "steps"
    assert "seed" in texts('prompt "a red fox" se', repl)


# ---------------------------------------------------------------- values


def test_choices_the_current_one_first(repl: Fake) -> None:
    found = at_end("sampler ", repl)
    assert found[0].meta == "current"
    assert {each.kind for each in found} == {"value"}
    assert texts("sampler dpmpp_2", repl)[0].startswith("dpmpp_2")


def test_a_value_that_was_set_is_the_current_one(repl: Fake) -> None:
    repl.values = {"sampler": "heun"}
    assert texts("sampler ", repl)[0] == "heun"


def test_values_of_the_last_runs_come_next(repl: Fake) -> None:
    repl.given = {"5.steps": [30, 8, 25], "5.sampler_name": ["heun", "gone"], "2.text": ["a blue fox"]}
    told = [(each.text, each.meta) for each in at_end("steps ", repl)]
    assert told == [("8", "current"), ("30", "recent"), ("25", "recent"), ("20", "default")]
    assert texts("sampler ", repl)[1] == "heun"
    assert "gone" not in texts("sampler ", repl)
    assert '"a blue fox"' in texts("prompt ", repl)


def test_model_files(repl: Fake) -> None:
    assert texts("model ", repl) == ["comfyd-demo.safetensors", "sd15.safetensors", "sdxl/base.safetensors"]
    assert texts("model base", repl) == ["sdxl/base.safetensors"]


def test_numbers_have_their_value_and_default(repl: Fake) -> None:
    assert [(each.text, each.meta) for each in at_end("steps ", repl)] == [("8", "current"), ("20", "default")]
    assert {"random", "+1"} <= set(texts("seed ", repl))


def test_an_unknown_name_has_no_values(repl: Fake) -> None:
    assert texts("sed ", repl, "value") == []


# ---------------------------------------------------------------- texts


def test_inside_of_a_text_names_come_quietly(repl: Fake) -> None:
    found = at_end("prompt a red fox se", repl)
    assert found[0].text == "seed"
    assert all(each.quiet for each in found)
    assert at_end("prompt a red fox with", repl) == []


def test_a_text_that_is_quoted_is_left_alone(repl: Fake) -> None:
    assert at_end('prompt "a red se', repl) == []
    assert at_end('prompt """a red se', repl) == []
    assert at_end("prompt 'se", repl) == []


def test_a_name_inside_of_a_text_offers_its_values(repl: Fake) -> None:
    found = at_end("prompt a red fox sampler ", repl)
    assert found[0].meta == "current"
    assert "heun" in [each.text for each in found]
    assert "heun" in texts("prompt a red fox sampler heu", repl)


def test_a_texts_current_value_is_there_for_who_asks(repl: Fake) -> None:
    (only,) = at_end("prompt ", repl)
    assert (only.kind, only.quiet) == ("value", True)


# ---------------------------------------------------------------- the cursor


def test_what_is_replaced_begins_at_the_word(repl: Fake) -> None:
    assert {each.start for each in at_end("seed 4 ste", repl)} == {7}
    assert {each.start for each in at_end('use "my', repl)} == {4}
    assert {each.start for each in candidates("seed 4 ste 8", 10, repl)} == {7}


def test_no_line_is_too_odd(repl: Fake, shell: Fake) -> None:
    for line in (
        "'",
        '"',
        "\\",
        '"""',
        " ",
        "run --",
        "-",
        "run run run",
        "prompt \x00",
        "seed 4 \\",
        "\n",
        "é",
        "5.",
        "..",
        '""',
    ):
        at_end(line, repl)
        at_end(line + " ", repl)
        for_words(line.split(" "), shell)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=8).map("".join), st.integers(0, 40))
def test_whatever_is_typed_nothing_breaks(line: str, cursor: int) -> None:
    catalogue = Catalogue.read(CATALOGUE)
    context = Fake(Index(load("demo").api or {}, catalogue), REPL, repl=True)
    for each in candidates(line, min(cursor, len(line)), context):
        assert 0 <= each.start <= len(line)
    for_words(line.split(" "), context)


# ---------------------------------------------------------------- sweeps


def test_a_sweep_s_lists_go_on_after_a_comma(repl: Fake, shell: Fake) -> None:
    assert texts("sweep sampler euler,heunp", repl)[0] == "euler,heunpp2"
    assert "euler,euler" not in texts("sweep sampler euler,eul", repl)
    assert shell_texts("sweep demo sampler dpmpp_2m_sde_g", shell)[0] == "dpmpp_2m_sde_gpu"
    assert "random*4" in texts("sweep seed r", repl)
    assert "cfg" in texts("sweep prompt a fox, red seed 1..8 c", repl)
    assert texts("sweep prompt a fox seed 1..8 sampler he", repl)[0] == "heun"
