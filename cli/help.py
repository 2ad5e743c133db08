"""The pages of ``--help`` and ``help``: which one is asked for, and how it reaches the terminal."""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO

from comfyd.errors import ComfydError, UsageError

from .commands import SHELL, WORD_GROUPS
from .parse import find
from .spec import Command
from .terminal import Terminal
from .text import printable

_WIDEST = 100


def help_(terminal: Terminal, *, command: Sequence[str], commands: Sequence[Command] = SHELL, workflow: str | None = None) -> int:
    """Print the overview, the page of one command with a workflow's own parameters, or that of a group."""
    with _uncollected():
        terminal.out(page(command, min(terminal.columns, _WIDEST), commands, colours=terminal.colours(terminal.stdout)))
        if workflow is not None:
            _list_parameters(terminal, workflow)
    return 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage among what rich and typer import, an eighth of the time of a page."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def _list_parameters(terminal: Terminal, workflow: str) -> None:
    """The parameters as far as the catalogue on disk tells them; help starts nothing."""
    from .parameters import known, show

    try:
        found = known(terminal, workflow)
    except ComfydError as error:
        terminal.note(f"the parameters of {printable(workflow)} are not listed: {printable(error.message)}")
        return
    if found is None:
        terminal.note(
            "the workflow's own parameters are listed here once the engine has started for the first time: comfyd start"
        )
        return
    terminal.out("")
    terminal.heading(f"Parameters of {printable(workflow)}")
    show(found, terminal, json=False)


def page(words: Sequence[str], width: int, commands: Sequence[Command] = SHELL, *, colours: bool = False) -> str:
    """Help on the words of a command as typer draws it; raises UsageError for an unknown one."""
    _check(words, commands)
    import typer

    from .app import application

    drawing = _Drawing(colours)
    with redirect_stdout(drawing), _columns(width):
        needed = [command for command in commands if command.name.split() == [*words]] or commands
        program = typer.main.get_command(application(needed, shell=commands is SHELL))
        program.main([*words, "--help"], prog_name="comfyd" if commands is SHELL else "", standalone_mode=False)
    return _text(drawing.getvalue(), colours)


def _check(words: Sequence[str], commands: Sequence[Command]) -> None:
    if not words or (len(words) == 1 and words[0] in WORD_GROUPS):
        return
    _, rest = find(words, commands)
    if rest:
        raise UsageError(f"help takes the name of one command, not {' '.join(words)}.")


class _Drawing(StringIO):
    """What typer prints, which styles it for a terminal."""

    def __init__(self, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def isatty(self) -> bool:
        return self._colours


@contextmanager
def _columns(width: int) -> Iterator[None]:
    """Draw in this width: typer asks the environment."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


def _text(drawn: str, colours: bool) -> str:
    """Without the empty lines around it and the blanks at the ends of its lines; plain even where CI forces colours."""
    from rich.text import Text

    lines = drawn.rstrip().split("\n")
    return "\n".join((line if colours else Text.from_ansi(line).plain).rstrip() for line in lines).strip("\n")
