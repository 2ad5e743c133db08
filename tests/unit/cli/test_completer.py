"""Candidates for the end of a line."""

import pytest
from comfyd_cli.completer import candidates

NAMES = ["prompt", "seed", "steps", "5.seed"]


@pytest.mark.parametrize(
    ("text", "word", "found"),
    [
        ("st", "st", ["start", "stop", "status", "steps"]),
        ("se", "se", ["set", "seed"]),
        ("seed ", "", []),
        ("seed 4 ste", "ste", ["steps"]),
        ("seed 4 5", "5", ["5.seed"]),
        ("set se", "se", ["seed"]),
        ("set seed ", "", []),
        ("reset s", "s", ["seed", "steps"]),
        ("run --q", "--q", ["--quiet"]),
        ("engine i", "i", ["install"]),
        ("help hist", "hist", ["history"]),
        ("queue --", "--", ["--json", "--no-start"]),
        ('prompt "a re', 'prompt "a re', []),
    ],
)
def test_candidates(text: str, word: str, found: list[str]):
    assert candidates(text, NAMES) == (word, found)


def test_an_empty_line_offers_everything():
    word, found = candidates("", NAMES)
    assert word == ""
    assert {"run", "queue", "prompt"} <= set(found)
