"""What terminals have answered, kept in the cache directory, because asking takes a moment."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from comfyd.whole import put

_TELLING = (
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "LC_TERMINAL",
    "COLORTERM",
    "VTE_VERSION",
    "KONSOLE_VERSION",
    "XTERM_VERSION",
    "WEZTERM_EXECUTABLE",
    "ALACRITTY_WINDOW_ID",
    "WT_SESSION",
)
_DAYS = 7 * 86400
_MOST = 100


class Answer(msgspec.Struct, frozen=True):
    """A terminal's, and when it gave it."""

    kind: str
    when: float


class Remembered:
    """The answer of the terminal that this environment tells of; terminals that tell the same of themselves share one."""

    def __init__(self, cache: Path, environ: Mapping[str, str]) -> None:
        self._file = cache / "terminals.json"
        client = environ.get("SSH_CONNECTION", "").partition(" ")[0]
        told = [environ.get(name, "") for name in _TELLING]
        self._key = "|".join([*(value if len(value) < 40 else "" for value in told), client])

    def kind(self) -> str | None:
        """What it answered, unless that is long ago."""
        answer = self._read().get(self._key)
        return answer.kind if answer and 0 <= time.time() - answer.when < _DAYS else None

    def keep(self, kind: str) -> None:
        """Remember it, if the cache can be written."""
        newest = sorted(self._read().items(), key=lambda item: -item[1].when)[: _MOST - 1]
        answers = dict(newest) | {self._key: Answer(kind, time.time())}
        with suppress(OSError):
            put(self._file, msgspec.json.encode(answers))

    def _read(self) -> dict[str, Answer]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Answer])
        except (OSError, msgspec.MsgspecError):
            return {}
