"""A line's words up to the cursor agree with how the finished line is read."""

import pytest
from comfyd_cli.completion.words import Typed, quoted, typed
from comfyd_cli.parse import split
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Typed([], "", 0)),
        ("se", Typed([], "se", 0)),
        ("seed ", Typed(["seed"], "", 5)),
        ("seed  4", Typed(["seed"], "4", 6)),
        ('a "b c', Typed(["a"], "b c", 2, '"')),
        ('a "b c"', Typed(["a"], "b c", 2)),
        ('a "b c" ', Typed(["a", "b c"], "", 8)),
        ('"Node title".inp', Typed([], "Node title.inp", 0)),
        ("it\\'s ", Typed(["it's"], "", 6)),
        ('"a \\" b', Typed([], 'a " b', 0, '"')),
        ('prompt """a\nb', Typed(["prompt"], "a\nb", 7, '"""')),
        ('prompt """a b""" s', Typed(["prompt", "a b"], "s", 17)),
        ('"" ', Typed([""], "", 3)),
    ],
)
def test_words(text: str, expected: Typed) -> None:
    assert typed(text) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=8), max_size=5))
def test_what_is_quoted_is_one_word(words: list[str]) -> None:
    words = [word for word in words if '"""' not in word]
    line = " ".join(map(quoted, words))
    if '"""' not in line:
        assert split(line) == words
        assert typed(line + " ").words == words


@given(st.text(st.sampled_from("ab \"'\\"), max_size=14))
def test_any_line_is_read(text: str) -> None:
    found = typed(text)
    assert 0 <= found.start <= len(text)
