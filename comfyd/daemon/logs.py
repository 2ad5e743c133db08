"""Where the daemon writes what it does."""

import logging
import os
import sys
from typing import TextIO

from comfyd.config import Paths

_LARGE = 10 * 1024**2  # bytes of the log at a start beyond which it becomes the old log
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def open_log(paths: Paths, foreground: bool) -> TextIO:
    """Append to the log; a detached daemon's own output goes there too, one in the foreground also writes to stderr."""
    if paths.log.exists() and paths.log.stat().st_size > _LARGE:
        paths.log.replace(paths.log.with_suffix(".log.1"))
    log = paths.log.open("a")
    handlers: list[logging.Handler] = [logging.StreamHandler(log)]
    if foreground:
        handlers.append(logging.StreamHandler())
    else:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    logging.basicConfig(level=logging.INFO, format=_FORMAT, handlers=handlers)
    return log
