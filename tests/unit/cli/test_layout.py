"""The rows of the moving display fit any width and let nothing through to the terminal."""

import pytest
from comfyd_cli.layout import rows
from comfyd_cli.view import View, fold
from rich.cells import cell_len

from comfyd.protocol import EngineInfo, EngineState, Memory, NodeStarted, Progress, Queued, Started, ToClient

GB = 1024**3
MESSAGES: list[ToClient] = [
    Started(job=12, nodes_total=7, cached=["1", "2"]),
    NodeStarted(job=12, node="5", class_type="KSampler", title="A sampler of 日本語 with \x1b[31m and a very long title indeed"),
    Progress(job=12, node="5", value=1, max=20, memory=Memory(device="cuda:0", used=5 * GB, total=24 * GB)),
    Progress(job=12, node="5", value=5, max=20),
]


def text(view: View, width: int, now: float) -> list[str]:
    return ["".join(piece for piece, _ in row) for row in rows(view, width, now, "*")]


def seen(*messages: ToClient) -> View:
    view = View(0.0)
    for now, message in enumerate(messages):
        view = fold(view, message, float(now))
    return view


def test_a_wide_terminal_shows_everything():
    first, second = text(seen(*MESSAGES), 120, 4.0)
    for part in ("日本語 with \\x1b[31m", "5/20", "4.0 it/s", "ETA 0:03"):
        assert part in first
    for part in ("2 of 7 nodes", "VRAM 5.0 GB of 24.0 GB", "0:04", "job 12"):
        assert part in second


@pytest.mark.parametrize("width", [10, 20, 39, 40, 60, 80, 200])
@pytest.mark.parametrize("count", range(1, len(MESSAGES) + 1))
def test_no_row_is_wider_than_the_terminal(width: int, count: int):
    for line in text(seen(*MESSAGES[:count]), width, 9.0):
        assert cell_len(line) <= width
        assert line.isprintable()


def test_what_is_narrow_keeps_the_step():
    assert "5/20" in text(seen(*MESSAGES), 40, 4.0)[0]


def test_waiting_says_for_what():
    assert "position 3 in the queue" in text(seen(Queued(job=1, position=3)), 80, 1.0)[0]
    starting = EngineState(engine=EngineInfo(state="starting", message="loading custom nodes"))
    assert "engine starting: loading custom nodes" in text(seen(starting), 80, 1.0)[0]
    loading = EngineState(engine=EngineInfo(state="installing", message="downloading", fraction=0.42))
    assert " 42%" in text(seen(loading), 80, 1.0)[0]
    assert "waiting for the daemon" in text(View(0.0), 80, 1.0)[0]


def test_a_cpu_has_ram():
    progress = Progress(job=1, node="5", value=1, max=2, memory=Memory(device="cpu", used=GB, total=8 * GB))
    assert "RAM 1.0 GB of 8.0 GB" in text(seen(Started(job=1, nodes_total=1, cached=[]), progress), 80, 1.0)[1]
