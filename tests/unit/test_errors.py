"""The tree of errors."""

import pytest

from comfyd import errors
from comfyd.errors import CODES, ComfydError, ExitStatus, from_info
from comfyd.protocol import ErrorInfo


def subclasses(base: type[ComfydError]) -> list[type[ComfydError]]:
    return [base, *(found for child in base.__subclasses__() for found in subclasses(child))]


def test_every_class_has_a_code_of_its_own() -> None:
    classes = [kind for kind in subclasses(ComfydError) if kind.__module__ == "comfyd.errors"]
    assert len({kind.code for kind in classes}) == len(classes)
    assert {kind.code: kind for kind in classes}.items() <= CODES.items()


@pytest.mark.parametrize("kind", subclasses(ComfydError))
def test_every_error_survives_the_wire(kind: type[ComfydError]) -> None:
    back = from_info(kind("It failed; do this.", "trace").info())
    assert back.code == kind.code
    assert (back.message, back.detail) == ("It failed; do this.", "trace")


def test_an_error_of_a_newer_daemon_is_still_an_error() -> None:
    error = from_info(ErrorInfo(code="from-the-future", message="It failed; do that."))
    assert type(error) is ComfydError
    assert error.message == "It failed; do that."


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.UnknownParameter, ExitStatus.REFUSED),
        (errors.QueueFull, ExitStatus.REFUSED),
        (errors.NodeFailed, ExitStatus.FAILED),
        (errors.JobCancelled, ExitStatus.FAILED),
        (errors.EngineFailed, ExitStatus.UNAVAILABLE),
        (errors.DaemonRunning, ExitStatus.UNAVAILABLE),
        (errors.JournalUnavailable, ExitStatus.UNAVAILABLE),
    ],
)
def test_the_class_says_who_has_to_act(kind: type[ComfydError], status: ExitStatus) -> None:
    assert kind("x").exit_status == status
