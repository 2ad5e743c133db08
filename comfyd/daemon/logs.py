"""Where the daemon writes what it does: a file that is rotated at its size, as text or as a JSON object per line."""

import contextlib
import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import msgspec

from comfyd.config import Config, Paths

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_MIB = 2**20


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the structured log."""

    time: str
    """RFC 3339 in UTC, with milliseconds."""
    level: str
    logger: str
    """``comfyd.worker`` for what the engine prints."""
    message: str
    job: int | None = None
    """The job the line is about, or whose node executed when the engine printed it."""
    detail: str = ""
    """A traceback."""


def open_log(paths: Paths, config: Config, foreground: bool) -> logging.Handler:
    """Append to the log; a detached daemon's own output goes there too, one in the foreground also writes to stderr."""
    file = _Rotated(paths, config, standard_streams=not foreground)
    handlers: list[logging.Handler] = [file, logging.StreamHandler()] if foreground else [file]
    formatter = _Json() if config.log_json else logging.Formatter(_TEXT)
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    return file


class _Rotated(RotatingFileHandler):
    """comfyd.log, then comfyd.log.1 and so on; the process' own stdout and stderr move on with it."""

    def __init__(self, paths: Paths, config: Config, *, standard_streams: bool) -> None:
        self._standard_streams = standard_streams
        super().__init__(
            paths.log,
            maxBytes=int(config.log_size * _MIB),
            backupCount=config.log_files,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._take_streams()

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is not None and not os.path.lexists(self.baseFilename):  # somebody has removed or moved it
            with contextlib.suppress(OSError):
                self._begin_anew(self.stream)
        super().emit(record)

    def _begin_anew(self, removed: IO[str]) -> None:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.stream = self._open()
        removed.close()
        self._take_streams()

    def doRollover(self) -> None:
        super().doRollover()
        self._take_streams()

    def _take_streams(self) -> None:
        if self._standard_streams and self.stream is not None:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(self.stream.fileno(), stream.fileno())


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = Line(
            time=f"{moment}.{int(record.msecs):03d}Z",
            level=record.levelname,
            logger=record.name,
            message=record.getMessage(),
            job=getattr(record, "job", None),
            detail=self.formatException(record.exc_info) if record.exc_info else "",
        )
        return msgspec.json.encode(line).decode()
