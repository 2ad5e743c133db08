"""A session on the demo workflow with a catalogue on disk, and no daemon."""

import shutil
from pathlib import Path

import pytest
from comfyd_cli.completion.index import Index
from comfyd_cli.prompt.session import Session

from tests.unit.cli.completion.conftest import CATALOGUE
from tests.unit.cli.conftest import Recorded


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """What a new user's prompt is on once the engine has started."""
    terminal = Recorded(tmp_path)
    terminal.paths.cache.mkdir(parents=True)
    shutil.copyfile(CATALOGUE, terminal.paths.cache / "catalogue-1.json")
    return Session(terminal, "demo", start=False)


@pytest.fixture
def index(session: Session) -> Index:
    """The demo's parameters."""
    found = session.index()
    assert found is not None
    return found


def said(session: Session) -> list[str]:
    """What was printed beside results."""
    assert isinstance(session.terminal, Recorded)
    return session.terminal.err_lines


def printed(session: Session) -> list[str]:
    """What was printed."""
    assert isinstance(session.terminal, Recorded)
    return session.terminal.out_lines
