"""The messages themselves."""

import typing

import msgspec
import pytest

from comfyd import protocol
from comfyd.protocol import Accepted, Done, JobRecord, JobReply, Queued, StatusRequest, Submit, Watch, ends, resubmitted

REQUESTS = typing.get_args(protocol.Request)
TO_CLIENT = typing.get_args(protocol.ToClient)
ORDERS = typing.get_args(protocol.Order)
FROM_WORKER = typing.get_args(protocol.FromWorker)


def sample(kind: type[msgspec.Struct]) -> typing.Any:
    """A message with the plainest value for each field that has no default."""
    fields = {field.name: plain(field.type) for field in msgspec.structs.fields(kind) if field.required}
    return kind(**fields)


def plain(kind: typing.Any) -> typing.Any:
    origin = typing.get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return sample(origin)
    return {str: "x", bytes: b"\xff", int: 1, float: 1.0, bool: True, list: [], dict: {}}.get(origin)


@pytest.mark.parametrize(
    ("kinds", "decode"),
    [
        (REQUESTS, protocol.decode_request),
        (TO_CLIENT, protocol.decode_to_client),
        (ORDERS, protocol.decode_order),
        (FROM_WORKER, protocol.decode_from_worker),
    ],
)
def test_every_message_survives_the_wire(kinds: tuple[type[msgspec.Struct], ...], decode: typing.Any) -> None:
    for kind in kinds:
        message = sample(kind)
        assert decode(protocol.encode(message)) == message


def test_unknown_fields_are_tolerated_and_unknown_tags_are_not() -> None:
    assert protocol.decode_request(protocol.encode({"type": "Watch", "job": 3, "news": 1})) == Watch(job=3)
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'Dance'"):
        protocol.decode_request(protocol.encode({"type": "Dance"}))


def test_messages_of_one_direction_are_not_taken_in_another() -> None:
    with pytest.raises(msgspec.ValidationError):
        protocol.decode_request(protocol.encode(protocol.Shutdown()))
    with pytest.raises(msgspec.ValidationError):
        protocol.decode_from_worker(protocol.encode(StatusRequest()))


def test_a_submit_that_is_not_followed_ends_with_accepted() -> None:
    accepted = Accepted(job=1, position=0)
    assert ends(Submit(api={}, follow=False), accepted)
    assert not ends(Submit(api={}), accepted)


def test_events_end_nothing_and_job_ends_do() -> None:
    request = Submit(api={})
    assert not ends(request, Queued(job=1, position=1))
    for kind in typing.get_args(protocol.JobEnd):
        assert ends(request, sample(kind))
    assert ends(request, sample(Done))


@pytest.mark.parametrize(("asked", "mode"), [("", "exact"), ("fast", "fast")])
def test_a_job_once_more(asked: str, mode: str) -> None:
    record = msgspec.structs.replace(sample(JobRecord), workflow="demo", overrides={"5.seed": 7}, mode="exact")
    before = JobReply(record=record, graph={"5": {}}, extra_data={"a": 1})
    once_more = resubmitted(before, words=["cfg", "4"], mode=asked, follow=False)
    assert once_more == Submit(
        api={"5": {}}, workflow="demo", words=["cfg", "4"], held={"5.seed": 7}, extra_data={"a": 1}, mode=mode, follow=False
    )


def test_a_run_is_the_same_with_parts_that_stay_encoded() -> None:
    from comfyd.daemon.queue import RunEncoded

    graph = {"1": {"class_type": "Echo", "inputs": {"text": "x"}}}
    parts = {"graph": msgspec.Raw(protocol.encode(graph)), "extra_data": msgspec.Raw(protocol.encode({}))}
    encoded = RunEncoded(job=1, **parts, attempt=2, mode="fast")
    assert protocol.decode_order(protocol.encode(encoded)) == protocol.Run(job=1, graph=graph, attempt=2, mode="fast")
