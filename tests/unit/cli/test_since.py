"""Moments as people give them."""

from datetime import datetime

import pytest
from comfyd_cli.since import moment

from comfyd.errors import UsageError

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("text", "ago"), [("30m", 1800), ("2h", 7200), ("1d12h", 129600), ("1.5h", 5400), (" 2 H ", 7200), ("1w", 604800)]
)
def test_a_length_of_time_is_counted_back(text: str, ago: float) -> None:
    assert moment(text, NOW) == NOW - ago


def test_a_date_is_local() -> None:
    assert moment("2026-11-23", NOW) == datetime(2026, 11, 23).timestamp()
    assert moment("2026-11-23T12:30", NOW) == datetime(2026, 11, 23, 12, 30).timestamp()


@pytest.mark.parametrize("text", ["", "2", "h", "2y", "2h ago", "tomorrow", "2026-13-01"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="30m, 2h, 1d"):
        moment(text, NOW)
