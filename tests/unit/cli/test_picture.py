"""Rows that are drawn over again, on a terminal that is emulated."""

import io

import pyte
from comfyd_cli.picture import Picture, wrapped
from rich.console import Console
from rich.text import Text


class Emulated(io.StringIO):
    """A terminal in memory."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.screen = pyte.Screen(columns, 10)
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self._stream.feed(text.replace("\n", "\r\n"))
        return len(text)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]


def drawn(terminal: Emulated, width: int) -> Console:
    return Console(file=terminal, width=width, force_terminal=True, legacy_windows=False)


def test_rows_replace_each_other_and_leave_nothing():
    terminal = Emulated(20)
    terminal.write("before\n")
    with Picture(drawn(terminal, 20)) as picture:
        picture.draw([Text("one"), Text("two")])
        picture.draw([Text("three")])
        assert terminal.lines == ["before", "three"]
        assert terminal.screen.cursor.hidden
        picture.draw([Text("four"), Text("five"), Text("six")])
        assert terminal.lines == ["before", "four", "five", "six"]
    assert terminal.lines == ["before"]
    assert not terminal.screen.cursor.hidden


def test_rows_that_the_terminal_has_wrapped_are_erased():
    terminal = Emulated(10)
    terminal.write("before\n")
    console = drawn(terminal, 20)
    with Picture(console) as picture:
        picture.draw([Text("x" * 18), Text("y")])
        console.width = 10
        picture.draw([Text("short"), Text("y")])
        assert terminal.lines == ["before", "short", "y"]


def test_lines_that_rows_take():
    assert wrapped([], 10) == 0
    assert wrapped([0, 10, 11, 30], 10) == 1 + 1 + 2 + 3
    assert wrapped([5], 0) == 5
