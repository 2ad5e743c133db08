"""What the words of a line are, for their colours, and what is wrong with a value before anything runs. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from comfyd.errors import ComfydError
from comfyd.workflow.naming.words import Takes, end_of_text
from comfyd.workflow.values.constants import Rejected, leads_outside
from comfyd.workflow.values.reading import fits, is_relative, read
from comfyd.workflow.wording import plain

from ..commands import HELP, first_words
from ..completion.place import find
from ..completion.words import Part, parts
from ..parse import left_out
from ..spec import Argument, Command, Option

if TYPE_CHECKING:
    from comfyd.workflow.classes.nodeclass import Input

    from ..completion.index import Index


class Mark(NamedTuple):
    """A stretch of the line and what it is."""

    start: int
    end: int
    kind: str
    """``command``, ``option``, ``parameter``, ``number``, ``text``, ``choice``, ``argument``, ``comment``, ``unknown``
    or ``bad``."""


class Marked(NamedTuple):
    """The line's marks in their order, and in one sentence what is wrong with a value; empty where nothing is."""

    marks: list[Mark]
    problem: str = ""


def marked(text: str, commands: Sequence[Command], index: "Index | None") -> Marked:
    """Mark the line; the word that ends it may go on and is only marked as wrong where nothing could follow that mends it."""
    if text.lstrip().startswith("#"):
        return Marked([Mark(0, len(text), "comment")])
    found = parts(text)
    problems: list[str] = []
    typing = len(found) - 1 if found and (found[-1].open or found[-1].end == len(text)) else None
    marks = sorted(_Line(found, typing, commands, index, problems).marks())
    return Marked(marks, problems[0] if problems else "")


class _Line:
    """One line on its way to its marks."""

    def __init__(
        self, words: list[Part], typing: int | None, commands: Sequence[Command], index: "Index | None", problems: list[str]
    ) -> None:
        self._words, self._typing = words, typing
        self._commands, self._index = commands, index
        self._problems = problems
        self._several = False
        """Whether each value may be several."""

    def marks(self, first: int = 0) -> Iterator[Mark]:
        """Of the words from this one on, as a line by itself."""
        words = self._words[first:]
        command, rest = find([part.word for part in words], self._commands)
        if command is not None and not words[0].open:
            named = len(words) - len(rest)
            yield from (self._mark(at, "command") for at in range(first, first + named))
            yield from self._arguments(command, first + named)
        elif words and self._begins_command(first):
            yield self._mark(first, "command" if len(words) > 1 else "argument")
            yield from (self._mark(at, "unknown") for at in range(first + 1, len(self._words)))
        else:
            run = next((each for each in self._commands if each.name == "run"), None)
            if run is not None:
                yield from self._arguments(run, first)

    def _begins_command(self, at: int) -> bool:
        """Whether the word is the first of a command of two, or the beginning of one that is being typed."""
        word = self._words[at].word
        lone = at == self._typing
        return any(each == word or (lone and each.startswith(word)) for each in first_words(self._commands))

    # ------------------------------------------------------------ arguments

    def _arguments(self, command: Command, at: int) -> Iterator[Mark]:
        arguments = list(command.arguments)
        values: list[int] = []
        closed = False
        while at < len(self._words):
            argument = _due(arguments, self._words[at].word)
            if argument is not None and argument.kind == "line":
                yield from self.marks(at)
                return
            option = None if closed else self._option(command, argument, at, bool(values))
            if option is not None:
                yield self._mark(at, "option")
                if (
                    isinstance(option, Option)
                    and option.metavar
                    and "=" not in self._words[at].word
                    and at + 1 < len(self._words)
                ):
                    at += 1
                    yield self._mark(at, "argument")
                closed = closed or option == "--"
            elif argument is not None and argument.kind == "parameters":
                arguments, self._several = [argument], argument.several
                values.append(at)
            elif argument is None:
                yield self._mark(at, "unknown")
            else:
                if not argument.many:
                    arguments = arguments[arguments.index(argument) + 1 :]
                yield self._mark(at, self._argument_kind(argument, at))
            at += 1
        yield from self._parameters(values)

    def _option(self, command: Command, argument: Argument | None, at: int, among_values: bool) -> "Option | str | None":
        part = self._words[at]
        word = part.word
        if not word.startswith("-") or word == "-" or part.end - part.start != len(word):
            return None
        if among_values and argument is not None and (word[1:2].isdecimal() or word[1:2] == "."):
            return None
        if word == "--":
            return word
        flag = word.partition("=")[0]
        return next((option for option in (*command.options, HELP) if flag in option.flags), None)

    def _argument_kind(self, argument: Argument, at: int) -> str:
        word = self._words[at].word
        if argument.kind in ("job", "number"):
            return "number" if word.isdecimal() else "unknown"
        if argument.kind == "command" and not any(word in each.name.split() for each in self._commands):
            return "argument" if at == self._typing else "unknown"
        return "argument"

    # ------------------------------------------------------------ parameters

    def _parameters(self, at: list[int]) -> Iterator[Mark]:
        """Names and values among the words at these places."""
        words = [self._words[each].word for each in at]
        here = 0
        while here < len(at):
            index = self._index
            spec = index.spec(words[here]) if index is not None else None
            known = spec is not None or index is None or index.names.is_name(words[here])
            yield self._mark(at[here], "parameter" if known else self._unknown(at[here]))
            here += 1
            if here >= len(at):
                return
            end = here + 1
            if index is not None and spec is not None and spec.kind == "STRING":
                end = max(end_of_text(words, here, index.names, self._takes), end)
            for place in range(here, end):
                yield self._value(at[place], words[here - 1], spec)
            here = end

    @property
    def _takes(self) -> Takes:
        """What tells where a text ends."""
        if not self._several:
            return fits
        from comfyd.workflow.sweep.axes import takes

        return takes

    @property
    def _rejection(self) -> Callable[..., str]:
        """What tells what is wrong with a value."""
        if not self._several:
            return rejection
        from comfyd.workflow.sweep.axes import rejection as of_several

        return of_several

    def _unknown(self, at: int) -> str:
        return "argument" if at == self._typing else "unknown"

    def _value(self, at: int, name: str, spec: "Input | None") -> Mark:
        word = self._words[at].word
        if spec is None or self._index is None:
            return self._mark(at, "text")
        seed = self._index.is_seed(name)
        problem = self._rejection(spec, word, seed=seed)
        if problem and not (at == self._typing and (self._several or could_become(spec, word, seed=seed))):
            self._problems.append(f"{plain(name)} {problem}")
            return self._mark(at, "bad")
        return self._mark(at, _KINDS.get(spec.kind, "choice" if spec.choices is not None else "text"))

    def _mark(self, at: int, kind: str) -> Mark:
        return Mark(self._words[at].start, self._words[at].end, kind)


_KINDS = {"INT": "number", "FLOAT": "number", "BOOLEAN": "choice", "STRING": "text"}


def _due(arguments: Sequence[Argument], word: str) -> Argument | None:
    """The argument that this word is for."""
    return next((each for each in arguments if not left_out(each, word)), None)


def rejection(spec: "Input", text: str, *, seed: bool) -> str:
    """Why the input does not take the text, as the predicate of a sentence; empty where it does."""
    if (seed and is_relative(text)) or (spec.uploads and (leads_outside(text) or "." in text)):
        return ""
    try:
        read(spec, text)
    except Rejected as rejected:
        return str(rejected)
    except ComfydError as error:
        return error.message
    return ""


def could_become(spec: "Input", text: str, *, seed: bool) -> bool:
    """Whether a value that begins so may still be a good one."""
    if spec.choices is not None and spec.kind not in ("INT", "FLOAT"):
        folded = text.casefold()
        return any(folded in str(choice).casefold() for choice in spec.choices)
    if spec.kind == "BOOLEAN":
        return any(word.startswith(text.lower()) for word in ("true", "false", "yes", "no", "on", "off"))
    if spec.kind not in ("INT", "FLOAT"):
        return False
    if (seed and "random".startswith(text)) or text in ("", "-", "+", ".", "-."):
        return True
    return _too_near_zero(spec, text) or (text[-1:] in "eE." and spec.kind == "FLOAT" and _is_number(text + "0"))


def _too_near_zero(spec: "Input", text: str) -> bool:
    """Whether more digits could bring the number into its range."""
    if not _is_number(text) or "e" in text.lower():
        return False
    number = float(text)
    low, high = spec.minimum, spec.maximum
    return (low is not None and 0 <= number < low) or (high is not None and 0 >= number > high)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
