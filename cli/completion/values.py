"""What a parameter's value could be: its choices and files, switches, seeds, the value it has and the one it had by default."""

from collections.abc import Iterator

from comfyd.workflow.naming.parameter import Parameter
from comfyd.workflow.values.constants import INPUT_FILES

from .candidate import Item
from .context import Context
from .index import Index

_CURRENT, _RECENT, _DEFAULT, _OTHER, _PATH = range(5)
_LONGEST = 400
_MOST_RECENT = 5
_SWITCH = (True, False)


def values(name: str, typed: str, index: Index, context: Context) -> Iterator[Item]:
    """The values for a name: the current one, those of the last runs, then all there are. Texts only for who asks."""
    parameter, spec = index.parameter(name), index.spec(name)
    if parameter is None or spec is None:
        return
    is_text = parameter.type == "STRING"
    marked = _marked(name, parameter, index, context)
    allowed = None if is_text else _choices(parameter)
    for text, (meta, group) in marked.items():
        if len(text) <= _LONGEST and (not allowed or text in allowed):
            yield Item(text, "value", meta, group, quiet=is_text)
    yield from (Item(choice, "value", "", _OTHER) for choice in allowed or () if choice not in marked)
    if index.is_seed(name):
        yield Item("random", "value", "another each time", _OTHER)
        yield Item("+1", "value", "the next of the last run's", _OTHER)
    if spec.uploads:
        yield from (Item(path, "path", "local file", _PATH) for path in context.paths(typed, INPUT_FILES))


def _marked(name: str, parameter: Parameter, index: Index, context: Context) -> dict[str, tuple[str, int]]:
    """Values that stand out, each with what is said of it and its group."""
    found: dict[str, tuple[str, int]] = {}
    if current := _written(context.values.get(name, parameter.value)):
        found[current] = ("current", _CURRENT)
    for value in list(context.recent(index, parameter.address))[:_MOST_RECENT]:
        found.setdefault(_written(value), ("recent", _RECENT))
    if parameter.default not in (None, ""):
        found.setdefault(_written(parameter.default), ("default", _DEFAULT))
    return found


def _choices(parameter: Parameter) -> list[str]:
    if parameter.type == "BOOLEAN":
        return [_written(choice) for choice in _SWITCH]
    return [_written(choice) for choice in parameter.choices or ()]


def _written(value: object) -> str:
    """A value as it is typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
