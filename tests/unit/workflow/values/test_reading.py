"""Values that somebody typed, read by the type of their input."""

from typing import Any

import pytest

from comfyd.workflow.classes.nodeclass import Input, parse_class
from comfyd.workflow.values.constants import NoSuchModel, Rejected
from comfyd.workflow.values.reading import read


def spec(type_: Any, options: dict[str, Any] | None = None, **info: Any) -> Input:
    return parse_class("X", {"input": {"required": {"a": [type_, options or {}]}}, **info}).inputs["a"]


MODELS = spec(["a.safetensors", "sub/b.safetensors"])


@pytest.mark.parametrize(
    ("input_", "value", "expected"),
    [
        (spec("INT"), "42", 42),
        (spec("INT"), " -1 ", -1),
        (spec("INT"), "20.0", 20),
        (spec("INT"), 3.0, 3),
        (spec("INT"), "18446744073709551615", 2**64 - 1),
        (spec("FLOAT"), "1e-3", 0.001),
        (spec("FLOAT"), 2, 2.0),
        (spec("BOOLEAN"), "Yes", True),
        (spec("BOOLEAN"), "off", False),
        (spec("BOOLEAN"), "0", False),
        (spec("BOOLEAN"), 1, True),
        (spec("STRING"), " 42 ", " 42 "),
        (spec("STRING"), '{"a": 1}', '{"a": 1}'),
        (spec("STRING"), 42, "42"),
        (spec(["Euler", "euler", "heun"]), "euler", "euler"),
        (spec(["Euler", "heun"]), "eULer", "Euler"),
        (spec(["euler", "euler_a", "heun"]), "euler", "euler"),
        (spec(["euler", "euler_a", "heun"]), "he", "heun"),
        (spec([1, 2, 4]), "2", 2),
        (spec([True, False]), "True", True),
        (spec("COMBO", {"options": ["x", "y"]}), "y", "y"),
        (spec("COMBO", {"options": ["x", "y"], "multiselect": True}), '["x", "y"]', ["x", "y"]),
        (spec("COMBO", {"remote": {}}), "anything", "anything"),
        (MODELS, "sub", "sub/b.safetensors"),
        (spec("COLOR"), "#ff0000", "#ff0000"),
        (spec("CURVE"), '{"points": [1, 2]}', {"points": [1, 2]}),
        (spec("INT,FLOAT"), "1.5", 1.5),
    ],
)
def test_accepted(input_: Input, value: Any, expected: Any):
    found = read(input_, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("input_", "value", "reason"),
    [
        (spec("INT"), "4.5", "an integer"),
        (spec("INT"), "", "an integer, not ''"),
        (spec("INT"), "nan", "an integer"),
        (spec("INT"), "1e400", "an integer"),
        (spec("INT"), "9" * 5000, "an integer"),
        (spec("INT"), True, "an integer, not true"),
        (spec("INT"), [1], "an integer, not a list"),
        (spec("INT", {"min": 1}), "0", "of at least 1"),
        (spec("INT", {"max": 9}), "10", "of at most 9"),
        (spec("INT"), str(2**64), "64 bits"),
        (spec("FLOAT"), "nan", "a number, not nan"),
        (spec("FLOAT"), "-inf", "a number, not -inf"),
        (spec("FLOAT"), float("nan"), "not nan"),
        (spec("FLOAT", {"min": 0.0, "max": 1.0}), "1.01", "a number from 0.0 to 1.0, not 1.01"),
        (spec("BOOLEAN"), "maybe", "true or false, not 'maybe'"),
        (spec("BOOLEAN"), 2, "true or false"),
        (spec("STRING"), ["a"], "text, not a list"),
        (spec(["euler", "euler_a"]), "eul", r"several choices that fit 'eul' \(euler, euler_a\)"),
        (spec(["euler", "heun"]), "eulr", "did you mean 'euler'"),
        (spec(["euler", "heun"]), "zzz", "it has euler, heun"),
        (spec(["euler", "heun"]), "", "has no choice ''"),
        (spec([]), "x", "it has none"),
        (spec("COMBO", {"options": ["x", "y"], "multiselect": True}), '["x", "z"]', "no choice 'z'"),
        (spec(["euler"]), {"a": 1}, "no choice an object"),
        (spec("STRING"), "\udcff", "JSON can carry"),
        (spec("CURVE"), f"[{2**64}]", "64 bits"),
    ],
)
def test_rejected(input_: Input, value: Any, reason: str):
    with pytest.raises(Rejected, match=reason):
        read(input_, value)


@pytest.mark.parametrize(("input_", "value"), [(MODELS, "c.safetensors"), (MODELS, "typo"), (spec([]), "c.gguf")])
def test_a_model_that_is_not_there(input_: Input, value: str):
    with pytest.raises(NoSuchModel, match="needs the model file"):
        read(input_, value)


def test_the_nearest_model_is_named():
    with pytest.raises(NoSuchModel, match=r"for example 'sub/b\.safetensors'"):
        read(MODELS, "sub/bb.safetensors")


def test_a_class_that_checks_itself_gets_what_was_typed():
    assert read(spec(["cpu"], {}, validates=["a"]), "gpu:1") == "gpu:1"
    assert read(spec("INT", {"max": 1}, validates=["*"]), "5") == 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sd15", "sd15.safetensors"),
        ("SD15.safetensors", "sd15.safetensors"),
        ("base", "sdxl/base.safetensors"),
        ("base.safetensors", "sdxl/base.safetensors"),
        ("sdxl/b", "sdxl/base.safetensors"),
        ("ref", "sdxl\\refiner.safetensors"),
        ("detail", "detail.safetensors"),
        ("detail-x", "sub/detail-xl.pt"),
    ],
)
def test_files_by_their_name(text: str, value: str):
    files = ["sd15.safetensors", "sdxl/base.safetensors", "sdxl\\refiner.safetensors", "detail.safetensors", "sub/detail-xl.pt"]
    assert read(spec(files), text) == value


def test_a_name_that_two_folders_have_is_ambiguous():
    with pytest.raises(Rejected, match="several choices that fit 'a'"):
        read(spec(["x/a.safetensors", "y/a.safetensors"]), "a")


@pytest.mark.parametrize("name", ["../secret.png", "a/../../b.png", "/etc/passwd", "~/cat.png", "..\\x.png", "C:\\x.png"])
def test_files_outside_the_input_folder(name: str):
    with pytest.raises(Rejected, match="leads out of it"):
        read(spec(["example.png"], {"image_upload": True}), name)
