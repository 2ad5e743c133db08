"""Everything that could stand where the next word is typed, by the command table and the workflow's parameters."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..commands import HELP, WORD_GROUPS
from ..spec import Argument, Command, Option
from .candidate import Item
from .context import Context
from .place import Place, find, place

if TYPE_CHECKING:
    from .index import Index

_WORKFLOWS = (".json", ".png", ".webp", ".jpg", ".jpeg", ".mp4", ".webm", ".mp3", ".flac")
_FIRST, _LATER, _LAST = 0, 4, 9


def offers(before: Sequence[str], word: str, context: Context, quoted: bool = False) -> Iterable[Item]:
    """The items, unranked; ``quoted``: the word is inside of a quote, where neither commands nor options stand."""
    command, rest = find(before, context.commands)
    if command is None:
        return [] if quoted and not context.repl else _beginning(before, word, context, quoted)
    here = place(command, rest)
    if here.option is not None:
        return _option_values(here.option, word, context)
    if here.argument is not None and here.argument.kind == "line":
        return offers(here.words, word, context, quoted)
    return [*_arguments(here, word, context, quoted), *([] if quoted else _options(here, word))]


# ---------------------------------------------------------------- commands


def _beginning(before: Sequence[str], word: str, context: Context, quoted: bool) -> Iterable[Item]:
    """A line's first words: commands and their second words; in a REPL also names and values without ``run``."""
    below = [command for command in context.commands if command.name.split()[:-1] == list(before)] if before else []
    if below:
        return [Item(command.name.split()[-1], "command", command.summary) for command in below]
    run = next((command for command in context.commands if context.repl and command.name == "run"), None)
    if before and run is None:
        return []
    items = [] if before or quoted else list(_commands(context.commands))
    if run is not None:
        items += _arguments(place(run, before), word, context, quoted)
    return items


def _commands(commands: Iterable[Command]) -> Iterator[Item]:
    seen: set[str] = set()
    for command in commands:
        first = command.name.split()[0]
        if first not in seen:
            seen.add(first)
            yield Item(first, "command", WORD_GROUPS.get(first, command.summary) if first != command.name else command.summary)


# ---------------------------------------------------------------- options


def _options(here: Place, word: str) -> Iterator[Item]:
    """Those that may follow and were not given; where something else is due they come last, and only begun ones in a text."""
    if here.closed or (word and not word.startswith("-")) or (here.due_value and not word.startswith("--")):
        return
    for option in (*here.command.options, HELP):
        if option.name not in here.given:
            for flag in option.flags:
                if flag.startswith("--") or word.startswith("-"):
                    yield Item(flag, "option", option.help, _LAST, quiet=not word and here.command.arguments != ())


def _option_values(option: Option, word: str, context: Context) -> Iterable[Item]:
    if option.kind == "path":
        return [Item(path, "path") for path in context.paths(word)]
    if option.kind == "workflow":
        return _workflows(word, context)
    if option.choices:
        return [Item(choice, "value") for choice in option.choices]
    return [Item(str(option.default), "value", "default")] if option.default is not None else []


# ---------------------------------------------------------------- arguments


def _arguments(here: Place, word: str, context: Context, quoted: bool) -> Iterable[Item]:
    argument = here.argument
    if argument is None:
        return []
    if argument.kind == "parameters":
        return _parameters(here, word, context, quoted)
    return _named(argument, here, word, context)


def _named(argument: Argument, here: Place, word: str, context: Context) -> Iterable[Item]:
    match argument.kind:
        case "workflow":
            return _workflows(word, context)
        case "stored":
            return [Item(name, "workflow") for name in context.stored()]
        case "path":
            return [Item(path, "path") for path in context.paths(word)]
        case "picture":
            return [Item(path, "path") for path in context.paths(word, _WORKFLOWS)]
        case "topic":
            return _topics(here.words, context)
        case "job":
            return [Item(str(job), "job", meta) for job, meta in context.jobs() if str(job) not in here.words]
        case "resident":
            return [Item(name, "resident") for name in context.residents() if name not in here.words]
        case "command":
            return _commands_to_explain(here.words, context.commands)
        case "set":
            return [Item(name, "parameter", f"now {value}") for name, value in context.values.items() if name not in here.words]
    return []


def _workflows(word: str, context: Context) -> Iterable[Item]:
    known = [Item(name, "workflow", meta) for name, meta in context.workflows()]
    return [*known, *(Item(path, "path", group=_LATER) for path in context.paths(word, _WORKFLOWS))]


def _commands_to_explain(words: Sequence[str], commands: Sequence[Command]) -> Iterable[Item]:
    if not words:
        return _commands(commands)
    return [Item(each.name.split()[-1], "command", each.summary) for each in commands if each.name.split()[:-1] == list(words)]


def _topics(words: Sequence[str], context: Context) -> Iterable[Item]:
    """Commands, then the parameters of the REPL's workflow."""
    index = None if words else context.index(None)
    return [*_commands_to_explain(words, context.commands), *(index.items if index is not None else ())]


def _parameters(here: Place, word: str, context: Context, quoted: bool) -> Iterable[Item]:
    """Names, or the values of the one that waits for its own; inside of a text names come quietly."""
    index = context.index(here.workflow)
    if index is None:
        return []
    from .values import values

    if here.argument is not None and here.argument.several:
        return _several(here, word, index, context)
    name, in_text = index.due(here.words)
    here.due_value = name is not None and not in_text
    found = list(values(name, word, index, context)) if name is not None else []
    if name is not None and not in_text:
        return found
    if in_text and quoted:
        return []
    if not in_text:
        return index.items
    return [*found, *(Item(item.text, item.kind, item.meta, item.group + _LATER, True, item.quoted) for item in index.items)]


def _several(here: Place, word: str, index: "Index", context: Context) -> Iterable[Item]:
    """Names, or one of the values for a name: after a comma the next of them, after @ a file that holds them."""
    from comfyd.workflow.sweep.axes import takes

    from .values import values

    name, in_text = index.due(here.words, takes)
    here.due_value = name is not None and not in_text
    if name is None:
        return index.items
    if word.startswith("@"):
        return [Item(f"@{path}", "path") for path in context.paths(word[1:])]
    spec = index.spec(name)
    return _listed(values(name, word, index, context), word, is_text=spec is not None and spec.kind == "STRING")


def _listed(found: Iterable[Item], word: str, *, is_text: bool) -> list[Item]:
    """Each value after those that are there already: ``euler,he`` goes on with heun. A text holds its commas itself."""
    other = {"+1": "", "random": "random*4"}
    before, comma, _ = word.rpartition(",")
    given = before.split(",") if comma and not is_text else []
    items = [(item, other.get(item.text, item.text)) for item in found]
    listed = [(item, ",".join([*given, text])) for item, text in items if text and text not in given]
    return [replace(item, text=text, quoted=text if text.endswith("random*4") else "") for item, text in listed]
