"""What a parameter's value could be: its choices and files, switches, seeds, the value it has and the one it had by default."""

from collections.abc import Iterator

from comfyd.workflow.parameter import Parameter
from comfyd.workflow.values import INPUT_FILES

from .candidate import Item
from .context import Context
from .index import Index

_CURRENT, _DEFAULT, _OTHER, _PATH = range(4)
_LONGEST = 400
_SWITCH = (True, False)


def values(name: str, typed: str, index: Index, context: Context) -> Iterator[Item]:
    """The values for a name, the current one first."""
    parameter, spec = index.parameter(name), index.spec(name)
    if parameter is None or spec is None:
        return
    current = _written(context.values.get(name, parameter.value))
    if parameter.type == "STRING":
        if current and len(current) <= _LONGEST:
            yield Item(current, "value", "current", quiet=True)
        return
    if choices := _choices(parameter):
        yield from (_choice(choice, current, parameter) for choice in choices)
    else:
        yield from _numbers(name, current, parameter, index)
    if spec.uploads:
        yield from (Item(path, "path", "local file", _PATH) for path in context.paths(typed, INPUT_FILES))


def _choices(parameter: Parameter) -> list[str]:
    if parameter.type == "BOOLEAN":
        return [_written(choice) for choice in _SWITCH]
    return [_written(choice) for choice in parameter.choices or ()]


def _choice(choice: str, current: str, parameter: Parameter) -> Item:
    if choice == current:
        return Item(choice, "value", "current", _CURRENT)
    if choice == _written(parameter.default):
        return Item(choice, "value", "default", _DEFAULT)
    return Item(choice, "value", "", _OTHER)


def _numbers(name: str, current: str, parameter: Parameter, index: Index) -> Iterator[Item]:
    if current:
        yield Item(current, "value", "current", _CURRENT)
    if parameter.default is not None and _written(parameter.default) != current:
        yield Item(_written(parameter.default), "value", "default", _DEFAULT)
    if index.is_seed(name):
        yield Item("random", "value", "another each time", _OTHER)
        yield Item("+1", "value", "the next of the last run's", _OTHER)


def _written(value: object) -> str:
    """A value as it is typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
