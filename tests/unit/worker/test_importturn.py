"""Whose turn it is: one thread's at a time, and a holder who waits for a thread's import lets that thread go first."""

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comfyd.worker.importturn import ImportTurn
from tests.daemon_process import wait_until

LIMIT = 30


class Steps:
    """What the modules of a test wait for and tell, through ``builtins``."""

    def __init__(self) -> None:
        self.turn = ImportTurn()
        self.begun, self.go = threading.Event(), threading.Event()
        self.order: list[str] = []


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps()
    monkeypatch.setattr("builtins.steps", made, raising=False)
    return made


MODULE = """
import builtins
steps = builtins.steps
steps.begun.set()
steps.go.wait(30)
with steps.turn:
    steps.order.append("within the import")
value = 1
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module whose import comes to something that needs the turn."""
    (tmp_path / "comfyd_test_turn.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "comfyd_test_turn"
    sys.modules.pop("comfyd_test_turn", None)


def started(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def waits_for_an_import(thread: threading.Thread) -> bool:
    return thread.ident in importlib._bootstrap._blocking_on  # type: ignore[attr-defined]


def test_a_holder_who_waits_for_an_import_lends_the_turn_to_it(steps: Steps, module: str) -> None:
    def hold() -> None:
        with steps.turn:
            steps.order.append(f"value {importlib.import_module(module).value}")

    importing = started(lambda: importlib.import_module(module))
    assert steps.begun.wait(LIMIT)
    holding = started(hold)
    wait_until(lambda: waits_for_an_import(holding))
    steps.go.set()
    for thread in (importing, holding):
        thread.join(LIMIT)
        assert not thread.is_alive()
    assert steps.order == ["within the import", "value 1"]


def test_it_is_lent_through_a_third_thread(steps: Steps, module: str, tmp_path: Path) -> None:
    (tmp_path / "comfyd_test_between.py").write_text(f"import {module}\n")

    def hold() -> None:
        with steps.turn:
            importlib.import_module("comfyd_test_between")

    importing = started(lambda: importlib.import_module(module))
    assert steps.begun.wait(LIMIT)
    between = started(lambda: importlib.import_module("comfyd_test_between"))
    wait_until(lambda: waits_for_an_import(between))
    holding = started(hold)
    wait_until(lambda: waits_for_an_import(holding))
    steps.go.set()
    for thread in (importing, between, holding):
        thread.join(LIMIT)
        assert not thread.is_alive()
    sys.modules.pop("comfyd_test_between", None)


def test_it_is_lent_to_nobody_else(steps: Steps) -> None:
    def other() -> None:
        steps.begun.set()
        with steps.turn:
            steps.order.append("other")

    with steps.turn, steps.turn:
        thread = started(other)
        assert steps.begun.wait(LIMIT)
        thread.join(0.05)
        steps.order.append("holder")
    thread.join(LIMIT)
    assert steps.order == ["holder", "other"]
