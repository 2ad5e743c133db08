"""The commands that explain, complete, repeat and leave."""

from ..spec import Argument, Command
from .shared import HOME, JSON_LINES, KEEP_GOING, SCRIPT, SCRIPT_DETAILS

_SHELL_NAME = Argument(name="shell", metavar="SHELL", required=False, help="bash, zsh or fish; default: the one that SHELL names")

COMMANDS = (
    Command(
        name="completions install",
        group="Help",
        handler="completions:install",
        summary="Install completion for your shell.",
        arguments=(_SHELL_NAME,),
        environment=("SHELL", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"),
        where="shell",
    ),
    Command(
        name="completions uninstall",
        group="Help",
        handler="completions:uninstall",
        summary="Remove it.",
        arguments=(_SHELL_NAME,),
        environment=("SHELL", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"),
        where="shell",
    ),
    Command(
        name="completions show",
        group="Help",
        handler="completions:show",
        summary="Print the script that install would write.",
        arguments=(_SHELL_NAME,),
        environment=("SHELL",),
        where="shell",
    ),
    Command(
        name="every",
        group="Help",
        handler="prompt.repeating:every",
        where="repl",
        summary="Repeat a command after so many seconds each time, until Ctrl-C.",
        arguments=(
            Argument(name="seconds", metavar="SECONDS", help="the pause between two"),
            Argument(name="line", kind="line", metavar="COMMAND", many=True, help="the command with all that belongs to it"),
        ),
        examples=("every 2 ps", "every 60 seed random"),
    ),
    Command(
        name="source",
        group="Help",
        handler="prompt.script:source",
        where="repl",
        summary="Run the lines of a file as if they were typed, up to the first that fails.",
        details=SCRIPT_DETAILS,
        arguments=(SCRIPT,),
        options=(KEEP_GOING, JSON_LINES),
    ),
    Command(
        name="schema",
        group="Help",
        handler="schema:schema",
        where="shell",
        summary="Print the JSON Schema of what commands print with --json.",
        details="Each line is one object, whose type says which it is; of several lines the last is the result.",
        environment=HOME,
    ),
    Command(name="exit", group="Help", handler="prompt.session:leave", where="repl", summary="Leave; so do quit and Ctrl-D."),
    Command(name="quit", group="Help", handler="prompt.session:leave", where="repl", summary="Leave."),
    Command(
        name="help",
        group="Help",
        handler="help:help_",
        where="shell",
        summary="Explain a command.",
        arguments=(
            Argument(name="command", kind="command", metavar="COMMAND", required=False, many=True, help="a command's name"),
        ),
    ),
    Command(
        name="help",
        group="Help",
        handler="prompt.explain:help_",
        where="repl",
        summary="Explain a command or a parameter.",
        arguments=(
            Argument(
                name="topic",
                kind="topic",
                metavar="COMMAND|PARAMETER",
                required=False,
                many=True,
                help="a command's or a parameter's name",
            ),
        ),
    ),
)
