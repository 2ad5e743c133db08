"""How a command shows the messages of a running request: moving (live.py), as plain lines (lines.py), as JSON, or not at all."""

from typing import Protocol

from comfyd.protocol import ToClient

from .terminal import Terminal


class Display(Protocol):
    """Shows messages one by one; ``close`` leaves the terminal as it was."""

    @property
    def previews(self) -> bool:
        """Whether it shows what is being made."""

    def show(self, message: ToClient) -> None: ...

    def close(self) -> None: ...


class Silent:
    """For --quiet: nothing."""

    previews = False

    def show(self, message: ToClient) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Nothing was opened."""


class JsonLines:
    """For --json: every event but the last, which the command itself reports."""

    previews = False

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def show(self, message: ToClient) -> None:
        if not message.FINAL:
            self._terminal.json(message)

    def close(self) -> None:
        """Nothing was opened."""


def display_for(terminal: Terminal, *, json: bool = False, quiet: bool = False) -> Display:
    """The display that fits the options and the terminal."""
    if json:
        return JsonLines(terminal)
    if quiet:
        return Silent()
    from .preview.kinds import wanted

    previews = wanted(terminal)
    if terminal.live:
        from .live import Live

        return Live(terminal, previews=previews)
    from .lines import Lines

    return Lines(terminal)
