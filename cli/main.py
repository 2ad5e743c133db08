"""The executable: ``main`` is the error boundary, ``program`` what it guards. Imports nothing that one command alone needs."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import takewhile
from types import FrameType
from typing import NoReturn

from comfyd.collecting import collect_seldom
from comfyd.errors import ComfydError, ExitStatus, JobCancelled
from comfyd.protocol import Error

from .commands import HELP
from .parse import find, parse
from .spec import Command
from .terminal import Terminal


def main() -> NoReturn:
    """The console script: runs the command line and ends the process with its exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    _replace_closed_streams()
    collect_seldom()
    terminal = Terminal()
    terminal.prepare()
    tokens = sys.argv[1:]
    status = guarded(terminal, lambda: program(terminal, tokens), json=wants_json(tokens))
    try:
        terminal.stdout.flush()
    except OSError:  # said before, unless nobody listens
        status = status or _pipe_closed()
        _forget_output()
    _end(status)


def _end(status: int) -> NoReturn:
    """Without the interpreter's teardown: everything is closed by now, and it takes a tenth of a short command."""
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status)


def _replace_closed_streams() -> None:
    """Give whoever closed a stream (``>&-``) the null device, whose number nothing else may take then."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """End by an exception, so that a moving display gives the cursor back."""
    raise SystemExit(128 + number)


def wants_json(tokens: Sequence[str]) -> bool:
    """Whether errors, too, are to end in a line of JSON; known before anything is parsed."""
    return "--json" in takewhile(lambda token: token != "--", tokens)


def guarded(terminal: Terminal, action: Callable[[], int], *, json: bool = False) -> int:
    """Run; whatever goes wrong becomes one sentence and an exit status."""
    try:
        return action()
    except ComfydError as error:
        return terminal.failure(error, json=json)
    except KeyboardInterrupt:
        return _interrupted(terminal, json=json)
    except BrokenPipeError:
        return _pipe_closed()
    except Exception as error:
        if terminal.environ.get("COMFYD_TRACEBACK"):
            raise
        return _unexpected(terminal, error, json=json)


def program(terminal: Terminal, tokens: Sequence[str]) -> int:
    """What the tokens ask for, without error handling."""
    if not tokens:
        tokens = ["repl"]
    if tokens[0] in HELP.flags:
        tokens = ["help"]
    if len(tokens) == 2 and tokens[1] in HELP.flags:
        tokens = ["help", tokens[0]]
    if tokens[0] == "--version":
        return _version(terminal)
    if tokens[0] == "_complete" and len(tokens) > 1:
        from .completing import complete

        return complete(terminal, tokens[1], tokens[2:])
    command, rest = find(tokens)
    values = parse(command, rest)
    if "help" in values:
        command, values = find(["help"])[0], {"command": command.name.split(), "workflow": values["workflow"]}
    return handle(command, terminal, values)


def handle(command: Command, terminal: Terminal, values: dict[str, object], *, session: object = None) -> int:
    """Call the command's handler, imported now; which ComfyUI a daemon gets is settled before."""
    comfyui = values.pop("comfyui", None)
    if comfyui is not None:
        from .chosen import choose

        choose(terminal, str(comfyui))
    preview = str(values.pop("preview", None) or "")
    if values.pop("no_preview", False):
        preview = "off"
    module, function = command.handler.split(":")
    with terminal.previewing(preview):
        return int(getattr(import_module(f".{module}", __package__), function)(session or terminal, **values))


def _version(terminal: Terminal) -> int:
    from comfyd import __version__

    terminal.out(f"comfyd {__version__}")
    return ExitStatus.DONE


def _interrupted(terminal: Terminal, *, json: bool) -> int:
    if json:
        terminal.json(Error(error=JobCancelled("Interrupted by Ctrl-C.").info()))
    return ExitStatus.INTERRUPTED


def _pipe_closed() -> int:
    """The reader has gone (``| head``): nothing is left to say."""
    _forget_output()
    return ExitStatus.FAILED


def _forget_output() -> None:
    """What is still to be written is not, not even by the interpreter's last flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(terminal: Terminal, error: Exception, *, json: bool) -> int:
    import traceback

    log = terminal.paths.log
    kept = f"{log} has the details"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.writelines(traceback.format_exception(error))
    except OSError:
        kept = f"{log} cannot be written"
    sentence = f"This is a fault in comfyd ({type(error).__name__}: {error}); {kept}, COMFYD_TRACEBACK=1 shows them here."
    return terminal.failure(ComfydError(sentence), json=json)


if __name__ == "__main__":
    main()
