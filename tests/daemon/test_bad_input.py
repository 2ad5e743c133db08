"""Hostile, malformed and huge workflows: each gets one sentence, and the daemon goes on."""

import math
from typing import Any

import pytest
import zmq

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import VERSION_FRAME, Done, Error, StatusReply, StatusRequest, Submit, decode_to_client, encode
from tests.daemon_process import DaemonProcess, graph, submit
from tests.unit.workflow.test_properties import require_one_sentence

MANY = 100_000
ESCAPE = "\x1b[31m\r\n\u202e\x9b2J"


def echo(**more: Any) -> dict[str, Any]:
    return {"1": {"class_type": "Echo", "inputs": {"text": "x"}} | more}


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def chain(count: int, class_type: str = "Echo") -> dict[str, Any]:
    return {str(n): {"class_type": class_type, "inputs": {"text": [str(n - 1), 0] if n else "x"}} for n in range(count)}


GRAPHS: dict[str, Any] = {
    "nothing": {},
    "no class": {"1": {}},
    "class of another type": {"1": {"class_type": 3, "inputs": {}}},
    "node of another type": {"1": [1, 2]},
    "inputs of another type": echo(inputs=[1, 2]),
    "title of another type": echo(_meta=3, inputs={}),
    "unknown class": {"1": {"class_type": "NoSuch", "inputs": {}}},
    "unknown class with control characters": {ESCAPE: {"class_type": ESCAPE, "inputs": {}, "_meta": {"title": ESCAPE}}},
    "control characters in a link": echo(inputs={"text": [ESCAPE, 0]}),
    "control characters in a name": echo(inputs={"text": "x", ESCAPE: [ESCAPE, 0]}),
    "link to nowhere": echo(inputs={"text": ["7", 0]}),
    "link to itself": echo(inputs={"text": ["1", 0]}),
    "link to an output that is not there": {"2": {"class_type": "Echo", "inputs": {"text": ["2", 7]}}},
    "links that are none": echo(inputs={"text": [1, 2, 3]}),
    "a number for a model": {"1": {"class_type": "Load", "inputs": {"model": 3}}},
    "NaN": {"1": {"class_type": "Steps", "inputs": {"steps": math.nan}}},
    "infinity": {"1": {"class_type": "Steps", "inputs": {"steps": -math.inf}}},
    "a number out of range": {"1": {"class_type": "Steps", "inputs": {"steps": -1}}},
    "deep nesting": echo(inputs={"text": nested(400)}),
    "many unknown nodes": chain(MANY, "NoSuch"),
    "many nodes in a cycle": {**chain(MANY), "0": {"class_type": "Echo", "inputs": {"text": [str(MANY - 1), 0]}}},
    **{
        f"file {name!r}": {"1": {"class_type": "LoadImage", "inputs": {"image": name}}}
        for name in ("../../etc/passwd", "/etc/passwd", "a/../../b.png", "..\\..\\x.png", "C:\\x.png", "~/x.png", "x\0.png")
    },
    "a missing model whose name is a path": {"1": {"class_type": "Load", "inputs": {"model": "../../../etc/passwd"}}},
}


def ui(*nodes: Any, **more: Any) -> dict[str, Any]:
    return {"nodes": list(nodes), "links": [], "version": 0.4} | more


def node(**more: Any) -> dict[str, Any]:
    return {"id": 1, "type": "Echo", "inputs": [], "outputs": [], "widgets_values": ["x"], "mode": 0} | more


LOOP = {"id": "loop", "nodes": [node(type="loop")], "links": [], "inputs": [], "outputs": []}
EDITOR: dict[str, Any] = {
    "no nodes": ui(),
    "nodes of another type": ui(3, "x", None, [1]),
    "no type": ui({"id": 1}),
    "type of another type": ui(node(type=3)),
    "id of another type": ui(node(id={"a": 1})),
    "unknown class with control characters": ui(node(type=ESCAPE, title=ESCAPE, properties={"cnr_id": ESCAPE})),
    "a link to itself": ui(node(inputs=[{"name": "text", "type": "STRING", "link": 1}]), links=[[1, 1, 0, 1, 0, "STRING"]]),
    "widget values of another type": ui(node(), node(id=2, type="Steps", widgets_values=[[1]])),
    "definitions of another type": ui(node(type="loop"), definitions=[1]),
    "a subgraph in itself": ui(node(type="loop"), definitions={"subgraphs": [LOOP]}),
    "a file that leads out": ui(node(type="LoadImage", widgets_values=["../../etc/passwd", "image"])),
    "deep nesting": ui(node(properties=nested(400))),
    "many unknown nodes": ui(*(node(id=n, type="NoSuch") for n in range(MANY // 4))),
}
TOLERATED: dict[str, Any] = {
    "links of another type": ui(node(inputs=[{"name": "text", "type": "STRING", "link": 1}]), links=3),
    "links of wrong lengths": ui(node(inputs=[{"name": "text", "type": "STRING", "link": 1}]), links=[[1], [], 3, None]),
    "inputs of another type": ui(node(inputs=3, outputs="x")),
    "an id given twice": ui(node(), node()),
    "no widget values": ui(node(widgets_values=None), node(id=2, widgets_values={"text": 3})),
    "odd modes": ui(node(mode="x"), node(id=2, mode=-1), node(id=3, mode=None)),
    "extra of another type": ui(node(), extra=3, groups="x", config=[], version="x", definitions={"subgraphs": 3}),
}
"""What may be refused or run, as long as it is one of the two."""


def refusal(client: Client, request: Submit) -> errors.ComfydError:
    with pytest.raises(errors.ComfydError) as raised:
        client.call(request)
    require_one_sentence(raised.value)
    return raised.value


@pytest.mark.parametrize(("cases", "form"), [(GRAPHS, "api"), (EDITOR, "ui")], ids=["API", "UI"])
def test_each_is_refused_in_a_sentence_and_the_daemon_goes_on(
    daemon: DaemonProcess, client: Client, cases: dict[str, Any], form: str
) -> None:
    pid = daemon.pid
    for name, case in cases.items():
        error = refusal(client, Submit(**{form: case}))
        assert isinstance(error, errors.Refused), (name, error.code, error.message)
        assert error.code != "internal", (name, error.message)
    assert isinstance(client.call(submit("Echo", text="x")), Done)
    assert daemon.pid == pid
    assert "Traceback" not in daemon.log


def test_what_the_editor_would_open_ends_in_a_job_or_a_sentence(daemon: DaemonProcess, client: Client) -> None:
    for case in TOLERATED.values():
        try:
            assert isinstance(client.call(Submit(ui=case)), Done)
        except errors.Refused as error:
            require_one_sentence(error)
    assert "Traceback" not in daemon.log


def test_a_file_that_leads_out_is_refused_as_a_value_too(client: Client) -> None:
    for words in (["image", "../../etc/passwd"], ["1.image", "/etc/passwd"]):
        error = refusal(client, Submit(api=graph("LoadImage", image="example.png"), words=words))
        assert "leads out" in error.message


def test_hostile_words_overrides_and_aliases(client: Client) -> None:
    fine = graph("Echo", text="x")
    for request in (
        Submit(api=fine, words=[ESCAPE, ESCAPE]),
        Submit(api=fine, words=["text"] * 9999),
        Submit(api=fine, words=["1.text"]),
        Submit(api=fine, words=["." * 100_000, "x"]),
        Submit(api=fine, overrides=[(ESCAPE, ESCAPE)]),
        Submit(api=fine, overrides=[("1.text", nested(300))]),
        Submit(api=graph("Steps", steps=1), overrides=[("1.steps", math.nan)]),
        Submit(api=fine, aliases={ESCAPE: ESCAPE}, words=[ESCAPE, "x"]),
        Submit(api=fine, aliases={"a": "b", "b": "a"}, words=["a", "x"]),
        Submit(api=fine, mode=ESCAPE),
        Submit(api=fine, extra_data={"extra_pnginfo": {"workflow": nested(400)}}),
    ):
        refusal(client, request)
    assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_nesting_that_no_client_of_ours_could_send(daemon: DaemonProcess, client: Client) -> None:
    """A Submit whose graph is nested 100,000 deep, written by hand; and one whose map has the same key twice."""
    deep = b"\x91" * 100_000 + b"\xc0"
    whole = encode(Submit(api=echo(inputs={"text": "HERE"})))
    twice = encode(Submit(api={"1": {"class_type": "Echo", "inputs": {"text": "a", "tex2": "b"}}})).replace(b"tex2", b"text")
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.RCVTIMEO, 30_000)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(daemon.paths.address)
        for payload in (whole.replace(b"\xa4HERE", deep), twice):
            socket.send_multipart([b"req", VERSION_FRAME, payload])
            while not (answer := decode_to_client(socket.recv_multipart()[2])).FINAL:
                pass
            assert isinstance(answer, Error | Done)
    assert isinstance(client.call(submit("Echo", text="x")), Done)


def test_a_huge_workflow_does_not_hold_up_others(daemon: DaemonProcess, client: Client) -> None:
    """While 100,000 nodes are bound in vain, another client is answered; in turn, not in parallel, as long as it waits."""
    huge = {str(n): {"class_type": "Echo", "inputs": {"text": str(n)}} for n in range(MANY)}
    huge["last"] = {"class_type": "Echo", "inputs": {"text": ["nowhere", 0]}}
    stream = client.stream(Submit(api=huge, overrides=[("no.such", 1)]))
    with daemon.client() as other:
        assert isinstance(other.call(StatusRequest()), StatusReply)
        assert isinstance(other.call(submit("Echo", text="x")), Done)
    with pytest.raises(errors.UnknownParameter):
        list(stream)


def test_the_log_keeps_control_characters_to_itself(daemon: DaemonProcess, client: Client) -> None:
    done = client.call(Submit(api=echo(), workflow=ESCAPE))
    assert isinstance(done, Done)
    assert ESCAPE not in daemon.log
    assert "\x1b" not in daemon.log
