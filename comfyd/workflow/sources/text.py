"""From the bytes of a workflow to a JSON object: files strictly (no duplicate keys, no NaN), what media carry as browsers do."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec

from comfyd.errors import WorkflowFormat, WorkflowInvalid, WorkflowNotJson
from comfyd.workflow.form import require_shallow
from comfyd.workflow.wording import shown

_ENCODINGS = 4
_MOST = 3_000_000
"""Objects and lists in a workflow, brackets in its texts among them: a node has about ten where the editor saved it."""
_BEFORE = "\ufeff\0 \t\r\n"


def parse(data: bytes, name: str) -> Any:
    """The JSON value; raises WorkflowNotJson with line and column, WorkflowInvalid for JSON that no graph may hold."""
    text = _decode(data, name)
    require_few(text, name)
    with _explained(text, name):
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    require_portable(value, name)
    return value


def lenient(text: str, name: str) -> Any:
    """The JSON value at the beginning of a text that another program wrote into a file; raises WorkflowNotJson.

    Python writes NaN, which becomes null as in ComfyUI's editor; some writers encode more than once, or leave a byte
    order mark before the text and other bytes after it.
    """
    value: Any = text
    for _ in range(_ENCODINGS):
        value = value.lstrip(_BEFORE)
        if not value.startswith(("{", '"')):
            return value
        require_few(value, name)
        with _explained(value, name):
            value, _end = _LENIENT.raw_decode(value)
        if not isinstance(value, str):
            return value
    return value


def require_few(text: str, name: str) -> None:
    """Raises WorkflowFormat for what is no workflow but takes minutes and gigabytes to read."""
    if text.count("{") + text.count("[") > _MOST:
        raise WorkflowFormat(f"{name} holds more than {_MOST:,} objects and lists and cannot be a workflow; give another file.")


@contextmanager
def _explained(text: str, name: str) -> Iterator[None]:
    """One sentence for each way in which JSON can be wrong."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise WorkflowNotJson(_position(error, text, name)) from error
    except RecursionError as error:
        raise WorkflowNotJson(f"{name} is nested too deeply to be a workflow; export it anew from ComfyUI.") from error
    except ValueError as error:
        raise WorkflowNotJson(f"{name} holds a number with too many digits; correct it.", str(error)) from error


def require_portable(value: Any, name: str) -> None:
    """Raises WorkflowInvalid for what cannot travel: integers beyond 64 bit, half surrogate pairs, very deep nesting."""
    require_shallow(value, name)
    try:
        msgspec.msgpack.encode(value)
    except OverflowError as error:
        raise WorkflowInvalid(f"{name} holds an integer beyond 64 bits; use one from -2**63 to 2**64-1.") from error
    except (UnicodeError, TypeError, ValueError, RecursionError) as error:
        raise WorkflowInvalid(f"{name} holds text or values that JSON cannot carry; correct it.", str(error)) from error


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        from .media.kinds import READABLE

        message = f"{name} is no file that a workflow can be read from; there are JSON, {READABLE}."
        raise WorkflowNotJson(message, str(error)) from error


def _position(error: json.JSONDecodeError, text: str, name: str) -> str:
    if not text.strip():
        return f"{name} is empty; export the workflow anew from ComfyUI."
    return (
        f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}; correct it or export the workflow anew."
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        again = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise WorkflowInvalid(f"The workflow names {shown(again)} twice in the same object; remove or rename one of them.")
    return found


def _no_constant(literal: str) -> NoReturn:
    raise WorkflowInvalid(f"The workflow holds {literal}, which is not JSON; replace it by a number.")


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise WorkflowInvalid(f"The workflow holds {shown(literal)}, which is too large for a number; replace it.")
    return number


def _finite_or_null(literal: str) -> float | None:
    number = float(literal)
    return number if math.isfinite(number) else None


_LENIENT = json.JSONDecoder(parse_constant=lambda literal: None, parse_float=_finite_or_null)
