"""Completion in shells: a script for each, made from the command table, and the process that it asks for the rest."""

from collections.abc import Callable, Mapping, Sequence

from ..spec import Command
from .bash import script as bash
from .fish import script as fish
from .zsh import script as zsh

SCRIPTS: Mapping[str, Callable[[Sequence[Command]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
FILES = {"bash": "comfyd.bash", "zsh": "_comfyd", "fish": "comfyd.fish"}
"""The names under which the scripts lie in ``completions/``."""
