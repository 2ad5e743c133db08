"""Which output fits which input."""

from typing import Any

import pytest

from comfyd.workflow.classes.linktypes import fits


@pytest.mark.parametrize(
    ("received", "wanted", "expected"),
    [
        ("MODEL", "MODEL", True),
        ("MODEL", "CLIP", False),
        ("*", "CLIP", True),
        ("MODEL", "*", True),
        ("INT", "INT,FLOAT", True),
        ("INT, STRING", "FLOAT,STRING", True),
        ("INT", "FLOAT,STRING", False),
        ("INT", "STRING,*", True),
        ("COMFY_MATCHTYPE_V3", "IMAGE", True),
        ("IMAGE", "COMFY_MATCHTYPE_V3", True),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a"], False),
        (["a", "b"], "COMBO", True),
        ("COMBO", ["a"], False),
        (None, "IMAGE", False),
    ],
)
def test_fits(received: Any, wanted: Any, expected: bool):
    assert fits(received, wanted) is expected
