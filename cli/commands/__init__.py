"""The one table of commands: the parser, the help, the REPL and shell completion all read it. Data only, a file for each group.

A command's ``handler`` is "module:function" in this package's parent, imported when the command runs, so that no command pays
for another's imports. The function takes the Terminal and one keyword for each argument and option.
"""

from collections.abc import Sequence

from ..spec import Command, Option
from . import daemon, help, jobs, memory, values, workflows

GROUPS = ("Values", "Workflows", "Jobs", "Memory", "Daemon", "Help")
WORD_GROUPS = {
    "workflow": "Keep workflows under names of your own.",
    "engine": "Choose the ComfyUI behind the daemon.",
    "config": "See and change the settings.",
    "completions": "Complete commands, workflows, parameters and values in your shell.",
    "service": "Let systemd or launchd keep the daemon running.",
}
"""What is said of the first word of several commands."""

TABLE: tuple[Command, ...] = (
    *workflows.COMMANDS,
    *jobs.COMMANDS,
    *memory.COMMANDS,
    *daemon.COMMANDS,
    *values.COMMANDS,
    *help.COMMANDS,
)
SHELL = tuple(command for command in TABLE if command.where != "repl")
REPL = tuple(command for command in TABLE if command.where != "shell")

HELP = Option(name="help", flags=("-h", "--help"), help="print this help")
ROOT_OPTIONS = (Option(name="version", flags=("--version",), help="print the version"), HELP)


def first_words(commands: Sequence[Command]) -> list[str]:
    """The words a line may begin with."""
    return list(dict.fromkeys(command.name.split()[0] for command in commands))
