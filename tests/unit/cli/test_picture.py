"""Rows that are drawn over again, on a terminal that is emulated."""

import io

import pyte
from comfyd_cli.picture import Picture, wrapped
from comfyd_cli.preview.room import Cells
from comfyd_cli.preview.screen import Drawn
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


def blocks(character: str, rows: int, columns: int = 6) -> Drawn:
    return Drawn(Cells(columns, rows), [character * columns] * rows)


def test_a_picture_stands_above_the_rows_and_leaves_with_them():
    terminal = Emulated(20)
    terminal.write("before\n")
    with Picture(drawn(terminal, 20)) as picture:
        picture.draw([Text("one")])
        picture.draw([Text("two")], blocks("a", 2))
        assert terminal.lines == ["before", "aaaaaa", "aaaaaa", "two"]
        picture.draw([Text("three")], blocks("b", 3))
        assert terminal.lines == ["before", "bbbbbb", "bbbbbb", "bbbbbb", "three"]
        picture.draw([Text("four"), Text("five")])
        assert terminal.lines == ["before", "four", "five"]
        picture.draw([Text("six")], blocks("c", 1))
    assert terminal.lines == ["before"]


def test_only_what_changes_is_written():
    terminal = Emulated(20)
    written: list[str] = []
    console = drawn(terminal, 20)
    write = terminal.write
    terminal.write = lambda text: written.append(text) or write(text)  # type: ignore[method-assign]
    shown = Drawn(Cells(6, 2), [" " * 6] * 2, "\x1b[1mPIXELS", "\x1b[2mGONE")
    with Picture(console) as picture:
        picture.draw([Text("one"), Text("same")], shown)
        assert written[-1].count("PIXELS") == 1
        picture.draw([Text("two"), Text("same")], shown)
        assert "PIXELS" not in written[-1]
        assert "same" not in written[-1]
        assert "two" in written[-1]
        picture.draw([Text("two"), Text("same")], shown._replace(over="\x1b[1mOTHERS"))
        assert written[-1].count("OTHERS") == 1
    assert "GONE" in written[-1]


def test_a_picture_that_a_narrower_terminal_has_wrapped_is_erased():
    terminal = Emulated(10)
    terminal.write("before\n")
    console = drawn(terminal, 20)
    with Picture(console) as picture:
        picture.draw([Text("x")], blocks("a", 1, 18))
        console.width = 10
        picture.draw([Text("x")], blocks("b", 1, 8))
        assert terminal.lines == ["before", "bbbbbbbb", "x"]
