"""What a line means: a command of the table, or values that stay and a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from comfyd.errors import ComfydError, ExitStatus, Refused, UnknownParameter, UsageError
from comfyd.workflow import Document, load

from ..commands import HELP, REPL, first_words
from ..completion.known import Known
from ..main import handle
from ..parse import find, pairs, parse, split
from ..terminal import Terminal

if TYPE_CHECKING:
    from ..completion.index import Index


class Leave(BaseException):
    """The user wants out: like SystemExit, nothing that went wrong."""


class Session:
    """One workflow, the values set so far, and the daemon they are run with."""

    def __init__(self, terminal: Terminal, workflow: str, *, start: bool, mode: str = "") -> None:
        self.terminal = terminal
        self.start = start
        self.mode = mode
        self.workflow = workflow
        self.values: dict[str, str] = {}
        self.known = Known(terminal.paths, REPL, workflow=workflow)
        self.json = False
        """Whether every line is to answer in NDJSON."""
        self.interactive = False
        """Whether somebody edits the lines."""
        self.edit_line = ""
        """What the next line begins as, for somebody who edits it."""
        self.last_job = 0
        """The newest that was run here."""
        self.last_files: list[str] = []
        self.left_running: list[int] = []
        """Jobs handed in here that nobody followed."""
        self.depth = 0
        """How many files that source reads are open in each other."""
        check(workflow, terminal)

    def run_line(self, line: str) -> int:
        """Do what the line says and give its exit status; raises Leave, and errors for the boundary."""
        if line.lstrip().startswith("#"):
            return ExitStatus.DONE
        return self.run_tokens(split(line))

    def run_tokens(self, tokens: Sequence[str]) -> int:
        """Do what the words of a line say."""
        tokens = self.completed(tokens)
        command, rest = find(tokens, REPL)
        if command.handler == "prompt.running:run" and len(rest) == 1 and _is_workflow(rest[0], self.terminal):
            raise UsageError(f"run runs {self.workflow} here; use {rest[0]} goes on with that workflow.")
        values = parse(command, rest)
        if "help" in values:
            command, values = find(["help"], REPL)[0], {"topic": command.name.split()}
        if "no_start" in values:
            values["no_start"] |= not self.start
        if self.json and "json" in values:
            values["json"] = True
        return handle(command, self.terminal, values, session=self if command.where == "repl" else None)

    # ------------------------------------------------------------ the workflow

    def document(self) -> Document:
        """The workflow as it was given."""
        return load(self.workflow, store=self.terminal.paths.workflows)

    def index(self) -> "Index | None":
        """Its parameters by the newest catalogue; None where there is none, or the workflow is none of it."""
        self.known.workflow = self.workflow
        return self.known.index(None)

    def wait_for_index(self) -> "Index":
        """The same, worth to wait for the engine's first start; raises why there is none."""
        from ..catalogue import catalogue
        from ..completion.known import index

        found = self.index()
        if found is None:
            given = self.document()
            return index(given, catalogue(self.terminal, start=self.start))
        return found

    # ------------------------------------------------------------ values

    def with_values(self, words: Sequence[str], *, wait: bool = False) -> dict[str, str]:
        """The values so far and these after them: of two names of one parameter the one given last counts.

        Words that cannot be told apart without a catalogue are worth to ``wait`` for one.
        """
        given = dict(self._paired(words, wait=wait))
        return self.without(given) | given

    def without(self, names: "Sequence[str] | dict[str, str]") -> dict[str, str]:
        """The values so far but for these parameters, by whatever name they were set."""
        same = self.meant(names)
        return {name: value for name, value in self.values.items() if not (self.meant([name]) & same)}

    def meant(self, names: "Sequence[str] | dict[str, str]") -> set[object]:
        """What names stand for: addresses where the catalogue tells them, else the names themselves."""
        found = self.index() if names and self.values else None
        return {address for name in names for address in _addresses(found, name)}

    def _paired(self, words: Sequence[str], *, wait: bool) -> list[tuple[str, str]]:
        """Names and values by the workflow's parameters, or one word each where no catalogue tells them."""
        if not words:
            return []
        found = self.index()
        if found is None and wait and _unquoted(words) and self._without_catalogue():
            try:
                found = self.wait_for_index()
            except Refused:
                found = None  # the daemon judges the graph by what it knows when it runs
        if found is None:
            return pairs(words)
        from comfyd.workflow.naming.words import overrides

        try:
            return overrides(words, found.names)
        except (UsageError, UnknownParameter):
            raise
        except Refused:
            return pairs(words)

    def _without_catalogue(self) -> bool:
        from comfyd.inuse import catalogue_in_use

        return catalogue_in_use(self.terminal.paths.cache) is None

    def completed(self, tokens: Sequence[str]) -> list[str]:
        """The line with the ``run`` that a line of values leaves out; raises UsageError for a lone word."""
        words = first_words(REPL)
        if tokens and tokens[0] in words:
            return list(tokens)
        if len(tokens) == 1 and tokens[0] not in HELP.flags:
            from comfyd.workflow.nearest import did_you_mean
            from comfyd.workflow.wording import shown

            if self._is_parameter(tokens[0]):
                raise UsageError(f"{shown(tokens[0])} has no value; give one after it, or ask for help {tokens[0]}.")
            fix = did_you_mean(tokens[0], words) or "; help lists the commands, and values are set like this: seed 42."
            raise UsageError(f"{shown(tokens[0])} is neither a command nor a name with a value{fix}")
        return ["run", *tokens]

    def _is_parameter(self, name: str) -> bool:
        found = self.index()
        return found is not None and found.parameter(name) is not None


def _addresses(index: "Index | None", name: str) -> set[object]:
    try:
        return set(index.names.find(name)) if index is not None else {name}
    except ComfydError:
        return {name}


def _unquoted(words: Sequence[str]) -> bool:
    """Whether there seems to be a text of several words among them, not all names being such as workflows have."""
    from comfyd.workflow.naming.aliases import ALIASES

    return len(words) % 2 == 1 or not all(name in ALIASES or "." in name for name in words[::2])


def _is_workflow(word: str, terminal: Terminal) -> bool:
    if word == "-":
        return False
    try:
        load(word, store=terminal.paths.workflows)
    except Refused:
        return False
    return True


def check(workflow: str, terminal: Terminal) -> None:
    """Refuse what no line could run."""
    if workflow == "-":
        raise UsageError("The REPL reads its lines from stdin; give it the workflow as a file.")
    load(workflow, store=terminal.paths.workflows)


def leave(session: Session) -> int:
    """Leave the REPL."""
    raise Leave
