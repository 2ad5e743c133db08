"""A terminal made of strings."""

import io
from pathlib import Path

import pytest
from comfyd_cli.terminal import Terminal


class Stream(io.StringIO):
    """Text in memory that may pass for a terminal."""

    def __init__(self, text: str = "", *, tty: bool = False) -> None:
        super().__init__(text)
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


class Recorded(Terminal):
    """A terminal whose output can be read back."""

    def __init__(self, home: Path, *, stdin: str = "", tty: bool = False) -> None:
        self.written, self.said = Stream(tty=tty), Stream(tty=tty)
        super().__init__(Stream(stdin, tty=tty), self.written, self.said, {"COMFYD_HOME": str(home)})

    @property
    def out_lines(self) -> list[str]:
        return self.written.getvalue().splitlines()

    @property
    def err_lines(self) -> list[str]:
        return self.said.getvalue().splitlines()


@pytest.fixture
def terminal(tmp_path: Path) -> Recorded:
    """Pipes all around."""
    return Recorded(tmp_path)
