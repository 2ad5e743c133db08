"""Quantities and foreign text."""

import pytest
from comfyd_cli.text import ago, clock, count, printable, rate, size, span, wrapped


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1000, "1.0 kB"),
        (1024**2, "1.0 MB"),
        (int(1.25 * 1024**3), "1.2 GB"),
        (120 * 1024**3, "120 GB"),
    ],
)
def test_sizes(count: int, text: str):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.004, "4 ms"),
        (0.61, "0.61 s"),
        (9.994, "9.99 s"),
        (9.999, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00 min"),
        (125, "2:05 min"),
        (3599.6, "1:00:00 h"),
        (3723, "1:02:03 h"),
    ],
)
def test_spans(seconds: float, text: str):
    assert span(seconds) == text


def test_clocks_and_rates():
    assert [clock(seconds) for seconds in (-1, 7.9, 61, 3661)] == ["0:00", "0:07", "1:01", "1:01:01"]
    assert [rate(value) for value in (4.321, 250.4, 0.25)] == ["4.3 it/s", "250 it/s", "4.0 s/it"]


def test_ages():
    assert [ago(seconds) for seconds in (-5, 0.5, 40, 250, 7300, 200000)] == [
        "now",
        "now",
        "40 s ago",
        "4 min ago",
        "2 h ago",
        "2 d ago",
    ]


def test_counts():
    assert [count(1, "node"), count(2, "node"), count(2, "more", "more")] == ["1 node", "2 nodes", "2 more"]


def test_control_characters_are_escaped_and_text_is_not():
    assert printable("日本語 é") == "日本語 é"
    assert printable("a\x1b[31mb\n\x07\u202e\ud800") == "a\\x1b[31mb\\n\\x07\\u202e\\ud800"


def test_sentences_break_between_words_and_paths_do_not():
    path = "/a" * 30
    assert wrapped(f"See {path} for it all", 40).splitlines() == ["See", path, "for it all"]
