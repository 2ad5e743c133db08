"""What is known, made up: a catalogue, the demo workflow and one with titles, no disk."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from comfyd_cli.commands import REPL, SHELL
from comfyd_cli.completion.index import Index
from comfyd_cli.spec import Command

from comfyd.workflow import Catalogue, load

CATALOGUE = Path(__file__).parents[2] / "workflow" / "catalogue.json"


class Fake:
    """A Context of fixed answers."""

    def __init__(self, index: Index, commands: Sequence[Command], *, repl: bool) -> None:
        self.commands, self.repl = commands, repl
        self.values: Mapping[str, str] = {}
        self.files = ["flow.json", "folder/"]
        self.known = index
        self.asked: list[str | None] = []
        self.given: dict[str, list[object]] = {}

    def index(self, workflow: str | None) -> Index | None:
        self.asked.append(workflow)
        return None if workflow == "unknown" else self.known

    def recent(self, index: Index, address: str) -> Iterable[object]:
        return self.given.get(address, [])

    def workflows(self) -> Iterable[tuple[str, str]]:
        return [("demo", "built in"), ("my portrait", "stored")]

    def stored(self) -> Iterable[str]:
        return ["my portrait"]

    def jobs(self) -> Iterable[tuple[int, str]]:
        return [(12, "demo"), (13, "flux")]

    def residents(self) -> Iterable[str]:
        return ["a.safetensors", "b.safetensors"]

    def paths(self, typed: str, suffixes: tuple[str, ...] = ()) -> Iterable[str]:
        return [file for file in self.files if not suffixes or file.endswith(("/", *suffixes))]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.read(CATALOGUE)


@pytest.fixture(scope="session")
def demo_index(catalogue: Catalogue) -> Index:
    graph: dict[str, Any] = load("demo").api or {}
    return Index(graph, catalogue, {"mood": "2.text"})


@pytest.fixture
def repl(demo_index: Index) -> Fake:
    return Fake(demo_index, REPL, repl=True)


@pytest.fixture
def shell(demo_index: Index) -> Fake:
    return Fake(demo_index, SHELL, repl=False)
