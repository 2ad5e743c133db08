"""What a REPL line means: a command of the table, or values that stay and a run. Knows nothing of prompt-toolkit."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comfyd.errors import AmbiguousParameter, ExitStatus, InvalidValue, Refused, UnknownParameter, UsageError
from comfyd.workflow import load

from . import workflows
from .commands import HELP, REPL, first_words
from .main import handle
from .parse import find, pairs, parse, split
from .terminal import Terminal
from .uploads import name_files

if TYPE_CHECKING:
    from comfyd.protocol import Graph
    from comfyd.workflow import Catalogue


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
        check(workflow)

    def run_line(self, line: str) -> int:
        """Do what the line says and give its exit status; raises Leave, and errors for the boundary."""
        if line.lstrip().startswith("#"):
            return ExitStatus.DONE
        tokens = self.completed(split(line))
        command, rest = find(tokens, REPL)
        if command.handler == "session:run" and len(rest) == 1 and _is_workflow(rest[0]):
            raise UsageError(f"run runs {self.workflow} here; use {rest[0]} goes on with that workflow.")
        values = parse(command, rest)
        if "help" in values:
            listed = self.workflow if "parameters" in [argument.kind for argument in command.arguments] else None
            command, values = find(["help"], REPL)[0], {"command": command.name.split(), "workflow": listed}
        if command.name == "help":
            values["commands"] = REPL
        if "no_start" in values:
            values["no_start"] |= not self.start
        return handle(command, self.terminal, values, session=self if command.where == "repl" else None)

    def with_values(self, words: Sequence[str], *, wait: bool = False) -> dict[str, str]:
        """The values so far and these after them: of two names of one parameter the one given last counts.

        Words that cannot be told apart without a catalogue are worth to ``wait`` for one.
        """
        given = dict(self._paired(words, wait=wait))
        return {name: value for name, value in self.values.items() if name not in given} | given

    def _paired(self, words: Sequence[str], *, wait: bool) -> list[tuple[str, str]]:
        """Names and values by the workflow's parameters, or one word each where no catalogue tells them."""
        from comfyd.workflow import Catalogue, pairs_of

        from .catalogue import catalogue, newest_file

        newest = newest_file(self.terminal.paths.cache) if words else None
        if newest is None and not (wait and _unquoted(words)):
            return pairs(words)
        known = Catalogue.read(newest) if newest is not None else catalogue(self.terminal, start=self.start)
        try:
            return pairs_of(words, graph_of(self.workflow, known), known, load(self.workflow).aliases)
        except (UsageError, UnknownParameter):
            raise
        except Refused:
            return pairs(words)  # the daemon judges the graph by what it knows when it runs

    @staticmethod
    def completed(tokens: Sequence[str]) -> list[str]:
        """The line with the ``run`` that a line of values leaves out; raises UsageError for a lone word."""
        words = first_words(REPL)
        if tokens and tokens[0] in words:
            return list(tokens)
        if len(tokens) == 1 and tokens[0] not in HELP.flags:
            from comfyd.workflow.nearest import did_you_mean
            from comfyd.workflow.wording import shown

            fix = did_you_mean(tokens[0], words) or "; help lists the commands, and values are set like this: seed 42."
            raise UsageError(f"{shown(tokens[0])} is neither a command nor a name with a value{fix}")
        return ["run", *tokens]


def _unquoted(words: Sequence[str]) -> bool:
    """Whether there seems to be a text of several words among them, not all names being such as workflows have."""
    from comfyd.workflow.aliases import ALIASES

    return len(words) % 2 == 1 or not all(name in ALIASES or "." in name for name in words[::2])


def _is_workflow(word: str) -> bool:
    if word == "-":
        return False
    try:
        load(word)
    except Refused:
        return False
    return True


def graph_of(workflow: str, catalogue: "Catalogue") -> "Graph":
    """The API graph that a workflow stands for by this catalogue."""
    from comfyd.workflow import prepare

    given = load(workflow)
    return prepare(given.api, given.ui, catalogue)


def check(workflow: str) -> None:
    """Refuse what no line could run."""
    if workflow == "-":
        raise UsageError("The REPL reads its lines from stdin; give it the workflow as a file.")
    load(workflow)


def run(session: Session, *, words: Sequence[str], **options: Any) -> int:
    """Run with the values so far and these; what is refused is not kept."""
    values = session.with_values(words, wait=True)
    options["mode"] = options.get("mode") or session.mode
    status = workflows.run(
        session.terminal,
        workflow=session.workflow,
        words=(),
        overrides=list(values.items()),
        no_start=not session.start,
        **options,
    )
    session.values = values
    return status


def set_(session: Session, *, words: Sequence[str]) -> int:
    """Keep values; what the newest catalogue shows to be wrong is refused."""
    values = session.with_values(words)
    _check(session, values)
    session.values = values
    return ExitStatus.DONE


def _check(session: Session, values: Mapping[str, str]) -> None:
    from comfyd.workflow import Catalogue, bind

    from .catalogue import newest_file

    newest = newest_file(session.terminal.paths.cache)
    if newest is None:
        return
    known = Catalogue.read(newest)
    judged = [(name, value) for name, value in values.items() if not name_files([value])]
    try:
        bind(graph_of(session.workflow, known), judged, known, aliases=load(session.workflow).aliases)
    except (UnknownParameter, AmbiguousParameter, InvalidValue):
        raise
    except Refused:
        return  # the rest of the graph, which the daemon judges by what it knows when it runs


def reset(session: Session, *, names: Sequence[str]) -> int:
    """Forget values."""
    for name in names:
        if name not in session.values:
            set_so_far = f"; set are {', '.join(session.values)}." if session.values else "; nothing is."
            raise UsageError(f"{name} is not set{set_so_far}")
    session.values = {name: value for name, value in session.values.items() if names and name not in names}
    return ExitStatus.DONE


def show(session: Session) -> int:
    """Show the parameters, or only what was set where no catalogue is there yet."""
    from comfyd.workflow import Catalogue, parameters

    from .catalogue import newest_file
    from .parameters import show as show_parameters

    newest = newest_file(session.terminal.paths.cache)
    if newest is not None:
        known = Catalogue.read(newest)
        found = parameters(graph_of(session.workflow, known), known)
        show_parameters(found, session.terminal, json=False, kept=session.values)
        return ExitStatus.DONE
    session.terminal.note("The engine has not told its parameters yet; set so far:")
    for name, value in session.values.items():
        session.terminal.out(f"{name} {value}")
    return ExitStatus.DONE


def use(session: Session, *, workflow: str) -> int:
    """Go on with another workflow, without the values of this one."""
    check(workflow)
    session.workflow, session.values = workflow, {}
    return ExitStatus.DONE


def leave(session: Session) -> int:
    """Leave the REPL."""
    raise Leave
