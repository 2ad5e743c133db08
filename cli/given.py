"""The workflow that a command was given."""

from comfyd.workflow import Document
from comfyd.workflow import load as loaded

from .terminal import Terminal


def load(terminal: Terminal, workflow: str) -> Document:
    """Load it, and say so where its name could have meant something else; raises why it cannot be loaded."""
    found = loaded(workflow, terminal.stdin, terminal.paths.workflows)
    if found.note:
        terminal.note(found.note, dim=False)
    return found
