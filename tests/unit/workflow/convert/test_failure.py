"""What cannot be converted is named: node, class, pack, and why."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.errors import CODES, NodeNotConvertible, UnknownNode
from comfyd.protocol import Graph

from .saved import ONE, Canvas


def test_an_unknown_class_names_its_node_and_pack(converted: Callable[[Any], Graph]) -> None:
    inner = Canvas()
    inner.node(7, "FancyNode", title="My fancy", properties={"cnr_id": "fancy-pack"})
    canvas = Canvas()
    canvas.node(4, ONE)
    with pytest.raises(UnknownNode) as raised:
        converted(canvas.workflow(inner.subgraph(ONE, [], [])))
    assert raised.value.message == (
        "Node 4:7 'My fancy' (FancyNode of pack fancy-pack) cannot be converted: the engine has no such node class; "
        "install the pack 'fancy-pack', or mute the node in ComfyUI."
    )
    assert raised.value.classes == ("FancyNode",)


@pytest.mark.parametrize("mode", [2, 4])
def test_an_unknown_class_that_does_not_run_is_passed_over(mode: int, converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, "FancyNode", mode=mode)
    canvas.node(2, "ProbeSource")
    assert list(converted(canvas.workflow())) == ["2"]


@pytest.mark.parametrize("properties", [{"cnr_id": "comfy-core"}, {"cnr_id": 5}, {"cnr_id": ""}, {}])
def test_a_pack_that_is_not_known_is_not_named(properties: dict[str, Any], converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, "FancyNode", properties=properties)
    with pytest.raises(UnknownNode, match=r"Node 1 \(FancyNode\) .* install the node pack that has it"):
        converted(canvas.workflow())


@pytest.mark.parametrize("type_", ["Anything Everywhere", "Prompts Everywhere", "WebcamCapture", "RecordAudio"])
def test_what_only_the_editor_can_carry_out(type_: str, converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, type_)
    with pytest.raises(NodeNotConvertible, match=r"Node 1 .* cannot be converted: its? .*; export the workflow"):
        converted(canvas.workflow())


@pytest.mark.parametrize("type_", ["Note", "MarkdownNote", "Fast Groups Bypasser (rgthree)", "Label (rgthree)", "PrimitiveNode"])
def test_decoration_is_left_out(type_: str, converted: Callable[[Any], Graph]) -> None:
    canvas = Canvas()
    canvas.node(1, type_, [], ["text"])
    assert converted(canvas.workflow()) == {}


def test_the_codes_are_stable() -> None:
    assert {"conversion-failed", "node-not-convertible"} <= CODES.keys()
