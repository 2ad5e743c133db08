"""The command schema: a JSON Schema of every line that a command prints with --json, made from the structs themselves."""

from functools import reduce
from operator import or_
from typing import Any

import msgspec

from comfyd.errors import ExitStatus
from comfyd.protocol import ToClient

from .answers import ANSWERS
from .sweep.record import Sweep, SweepJob
from .terminal import Terminal

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(terminal: Terminal) -> int:
    """Print it, indented."""
    terminal.out(text())
    return ExitStatus.DONE


def text() -> str:
    """The schema as it is kept in the tree."""
    return msgspec.json.format(msgspec.json.encode(made(), order="sorted"), indent=2).decode()


def made() -> dict[str, Any]:
    """The schema of one line: an object whose ``type`` says which it is."""
    lines = reduce(or_, (*ANSWERS, SweepJob, Sweep), ToClient)
    about = {
        "$schema": _DIALECT,
        "title": "comfyd --json",
        "description": "One line that a command of comfyd prints with --json.",
    }
    return {**about, **msgspec.json.schema(lines)}
