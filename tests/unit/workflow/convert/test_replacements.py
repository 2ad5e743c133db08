"""Names of files that are put together when a workflow is queued."""

from datetime import datetime
from typing import Any

import pytest

from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.convert import convert

from .saved import Canvas

NOW = datetime(2026, 3, 4, 5, 6, 7)


def saved_as(prefix: Any, catalogue: Catalogue) -> Any:
    canvas = Canvas()
    canvas.node(1, "ProbeSource", [], [12], title="My source")
    canvas.node(2, "ProbeSource", [], ["a/b: *c*"], properties={"Node name for S&R": "alias"})
    canvas.node(3, "SaveImage", ["images"], [prefix])
    return convert(canvas.workflow(), catalogue, NOW)["3"]["inputs"]["filename_prefix"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("plain", "plain"),
        ("%date:yyyy-MM-dd%/x", "2026-03-04/x"),
        ("%date:yy M d hhmmss%", "26 3 4 050607"),
        ("%ProbeSource.number%", "12"),
        ("%My source.number%", "12"),
        ("%alias.number%", "a_b_ _c_"),
        ("%nobody.number%", "%nobody.number%"),
        ("%alias.nothing%", "%alias.nothing%"),
        ("%width%_%year%", "%width%_%year%"),
        ("100%", "100%"),
        ("%%", "%%"),
        (None, None),
        (5, 5),
    ],
)
def test_a_name_is_put_together(prefix: Any, expected: Any, catalogue: Catalogue) -> None:
    assert saved_as(prefix, catalogue) == expected


def test_choices_in_prompts_are_left_for_the_run(catalogue: Catalogue) -> None:
    canvas = Canvas()
    canvas.node(1, "CLIPTextEncode", ["clip"], ["a {red|green} fox // comment"])
    assert convert(canvas.workflow(), catalogue)["1"]["inputs"] == {"text": "a {red|green} fox // comment"}
