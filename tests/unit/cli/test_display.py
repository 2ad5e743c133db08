"""Plain lines and JSON, with a clock that stands still between messages."""

import json

from comfyd_cli.display import JsonLines
from comfyd_cli.lines import Lines

from comfyd.protocol import (
    Accepted,
    Done,
    EngineInfo,
    EngineState,
    NodeStarted,
    Progress,
    Queued,
    Started,
    ToClient,
)

from .conftest import Recorded


class Clock:
    """Time that moves by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(terminal: Recorded, *steps: tuple[float, ToClient]) -> list[str]:
    clock = Clock()
    display = Lines(terminal, clock)
    for clock.now, message in steps:
        display.show(message)
    return terminal.err_lines


def step(value: int) -> Progress:
    return Progress(job=1, node="5", value=value, max=20)


def test_one_line_for_a_node_and_one_every_few_seconds(terminal: Recorded):
    sampler = NodeStarted(job=1, node="5", class_type="KSampler", title="Sam\x1bpler")
    steps = [(2 + value / 2, step(value)) for value in range(1, 21)]
    lines = shown(terminal, (0, Started(job=1, nodes_total=3, cached=["1"])), (2, sampler), *steps)
    assert lines[:2] == ["job 1: 1 of 3 nodes cached", "node 2 of 3: Sam\\x1bpler (KSampler)"]
    assert [line.split(",")[0].strip() for line in lines[2:]] == [
        "Sam\\x1bpler (KSampler): step 10/20",
        "Sam\\x1bpler (KSampler): step 20/20",
    ]


def test_waiting_and_attempts_are_said(terminal: Recorded):
    lines = shown(terminal, (0, Queued(job=4, position=2)), (1, Started(job=4, nodes_total=1, cached=[], attempt=2)))
    assert lines == ["job 4 waits, position 2 in the queue", "job 4, attempt 2: 0 of 1 node cached"]


def test_an_installation_that_counts_bytes_does_not_flood(terminal: Recorded):
    def state(megabytes: int) -> EngineState:
        return EngineState(engine=EngineInfo(state="installing", message=f"{megabytes} MB"))

    steps = [(second / 10, state(second)) for second in range(100)]
    assert len(shown(terminal, *steps)) == 2


def test_json_lines_leave_the_last_to_the_command(terminal: Recorded):
    display = JsonLines(terminal)
    done = Done(job=1, seconds=1, executed=[], nodes_total=1, files=[], peak_memory=0)
    for message in (Accepted(job=1, position=0), step(1), done):
        display.show(message)
    lines = terminal.out_lines
    assert [json.loads(line)["type"] for line in lines] == ["Accepted", "Progress"]
    assert all(line.startswith('{"type":') for line in lines)
