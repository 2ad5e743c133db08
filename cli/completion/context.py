"""What is known where something is completed; asked for only where it could stand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..spec import Command

if TYPE_CHECKING:
    from .index import Index


class Context(Protocol):
    """A shell's or a REPL's knowledge. Everything but the commands may be slow to tell, and is told once."""

    @property
    def commands(self) -> Sequence[Command]:
        """The table: what a line may begin with."""

    @property
    def repl(self) -> bool:
        """Whether a line of names and values is a run."""

    @property
    def values(self) -> Mapping[str, str]:
        """Values set so far, by the name they were given."""

    def index(self, workflow: str | None) -> "Index | None":
        """The parameters of a workflow, of the REPL's own for None; None where nothing is known of it."""

    def recent(self, index: "Index", address: str) -> Iterable[object]:
        """Values that the newest runs of the index's workflow gave a parameter, the latest first."""

    def workflows(self) -> Iterable[tuple[str, str]]:
        """Built-in and stored names, each with what is to be said of it."""

    def stored(self) -> Iterable[str]:
        """Stored names."""

    def jobs(self) -> Iterable[tuple[int, str]]:
        """Jobs that have not ended, each with what is to be said of it."""

    def residents(self) -> Iterable[str]:
        """Names of what is resident."""

    def paths(self, typed: str, suffixes: tuple[str, ...] = ()) -> Iterable[str]:
        """Files of these suffixes, or all, and directories that go on with what was typed."""
