"""The command doctor: one line for each thing that was looked at, with what mends it."""

from collections import Counter
from collections.abc import Iterator

from comfyd.config import Config
from comfyd.doctor import Finding, examine
from comfyd.doctor.finding import problem
from comfyd.errors import ConfigError, ExitStatus

from .terminal import Terminal
from .text import count, printable, wrapped

_MARKS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}
_STYLES = {"ok": "\x1b[32m", "warning": "\x1b[33m", "problem": "\x1b[1;31m"}
_WIDTH = max(map(len, _MARKS.values()))
_INDENT = " " * (_WIDTH + 2)


def doctor(terminal: Terminal, *, json: bool) -> int:
    """Print each finding as it is made; the exit status is 1 where there is a problem."""
    found: list[Finding] = []
    for finding in _examined(terminal):
        found.append(finding)
        if not json:
            _show(terminal, finding)
    states = Counter(finding.state for finding in found)
    if json:
        terminal.json({"type": "Doctor", "healthy": not states["problem"], "findings": found})
    elif states["problem"] or states["warning"]:
        terminal.note(f"{count(states['problem'], 'problem')}, {count(states['warning'], 'warning')}", dim=False)
    else:
        terminal.success("Everything is in order.")
    return ExitStatus.FAILED if states["problem"] else ExitStatus.DONE


def _examined(terminal: Terminal) -> Iterator[Finding]:
    """All findings; settings that cannot be read are the first of them, and the defaults stand in."""
    try:
        settings = terminal.config
    except ConfigError as error:
        yield problem("config", error.message, "`comfyd config edit` opens it.")
        settings = Config()
    yield from examine(settings, terminal.paths)


def _show(terminal: Terminal, finding: Finding) -> None:
    mark = f"{_MARKS[finding.state]:{_WIDTH}}"
    if terminal.colours(terminal.stdout):
        mark = f"{_STYLES[finding.state]}{mark}\x1b[0m"
    first, *rest = _lines(f"{finding.name}: {finding.text}", terminal)
    terminal.out(f"{mark}  {first}")
    for line in rest + [line for line in _lines(finding.fix, terminal) if finding.fix]:
        terminal.out(_INDENT + line)


def _lines(text: str, terminal: Terminal) -> list[str]:
    text = printable(text)
    return wrapped(text, terminal.columns - len(_INDENT)).splitlines() if terminal.stdout.isatty() else [text]
