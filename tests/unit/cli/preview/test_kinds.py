"""Which pictures a terminal is taken to show."""

from pathlib import Path

import pytest
from comfyd_cli.preview import question
from comfyd_cli.preview.kinds import by_environment, kind_of, wanted
from comfyd_cli.preview.remembered import Remembered

from comfyd.errors import InvalidValue
from comfyd.protocol import Preview
from tests.unit.cli.conftest import Recorded, Stream


class Encoded(Stream):
    """A terminal's stream in an encoding."""

    encoding = "utf-8"


def of(tmp_path: Path, encoding: str = "utf-8", **environ: str) -> Recorded:
    """An interactive terminal with these variables."""
    terminal = Recorded(tmp_path, tty=True)
    terminal.said = terminal.stderr = Encoded(tty=True)
    terminal.said.encoding = encoding
    terminal.environ = {"COMFYD_HOME": str(tmp_path), "TERM": "xterm-256color"} | environ
    return terminal


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/tmux,1,0"}, "blocks"),
        ({"LC_TERMINAL": "iTerm2", "TERM": "tmux-256color"}, "blocks"),
        ({"TERM": "xterm-256color"}, ""),
    ],
)
def test_what_variables_tell(environ: dict[str, str], kind: str):
    assert by_environment(environ) == kind


def test_pictures_are_for_terminals(tmp_path: Path):
    assert wanted(of(tmp_path))
    assert not wanted(of(tmp_path, TERM="dumb"))
    assert not wanted(of(tmp_path, TERM=""))
    assert not wanted(of(tmp_path, COMFYD_PREVIEW="off"))
    piped = of(tmp_path)
    piped.written._tty = False
    assert not wanted(piped)
    assert not wanted(of(tmp_path, "iso-8859-1"))


def test_what_is_asked_for_wins(tmp_path: Path):
    terminal = of(tmp_path, KITTY_WINDOW_ID="1", COMFYD_PREVIEW="blocks")
    assert kind_of(terminal) == "blocks"
    with terminal.previewing("sixel"):
        assert kind_of(terminal) == "sixel"
    with terminal.previewing("off"):
        assert kind_of(terminal) == ""
    assert kind_of(terminal) == "blocks"


def test_a_kind_that_there_is_not(tmp_path: Path):
    terminal = of(tmp_path)
    with terminal.previewing("sixels"), pytest.raises(InvalidValue, match="sixel"):
        wanted(terminal)


def test_without_colours_only_pixels_are_pictures(tmp_path: Path):
    assert kind_of(of(tmp_path, TMUX="1", NO_COLOR="1")) == ""
    assert kind_of(of(tmp_path, KITTY_WINDOW_ID="1", NO_COLOR="1")) == "kitty"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"\x1b_Gi=4207;OK\x1b\\\x1b[?62;c", "kitty"),
        (b"\x1b_Gi=4207;ENOTSUPPORTED\x1b\\\x1b[?62;4c", "sixel"),
        (b"\x1b[?64;1;2;4;6c", "sixel"),
        (b"\x1b[?64;1;2;14;44c", "blocks"),
        (b"", "blocks"),
        (b"keys\x1b[A", "blocks"),
    ],
)
def test_what_answers_mean(answer: bytes, kind: str):
    assert question.told(answer) == kind


def test_a_terminal_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(question, "ask", lambda terminal: asked.append(terminal) or "sixel")
    assert [kind_of(of(tmp_path)), kind_of(of(tmp_path)), kind_of(of(tmp_path, VTE_VERSION="7600"))] == ["sixel"] * 3
    assert len(asked) == 2


def test_a_terminal_that_cannot_be_asked_now_is_asked_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(question, "ask", lambda terminal: None)
    assert kind_of(of(tmp_path)) == "blocks"
    monkeypatch.setattr(question, "ask", lambda terminal: "sixel")
    assert kind_of(of(tmp_path)) == "sixel"


def test_old_and_damaged_answers_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    memory = Remembered(tmp_path, {"TERM": "xterm"})
    monkeypatch.setattr("time.time", lambda: 1e9)
    memory.keep("sixel")
    assert memory.kind() == "sixel"
    monkeypatch.setattr("time.time", lambda: 1e9 + 8 * 86400)
    assert memory.kind() is None
    (tmp_path / "terminals.json").write_text("no JSON")
    assert memory.kind() is None


def test_the_moving_picture_is_made_anew_only_when_it_changes(tmp_path: Path):
    from comfyd_cli.preview.moving import Moving

    terminal = of(tmp_path, COMFYD_PREVIEW="kitty")
    moving = Moving(terminal)
    assert moving.drawn() is None
    moving.latest = Preview(job=1, node="5", value=1, max=2, width=4, height=2, data=bytes(24))
    first = moving.drawn()
    assert first is not None
    assert first.cells == (32, 8)
    assert moving.drawn() is first
    moving.latest = Preview(job=1, node="5", value=2, max=2, width=4, height=2, data=bytes(24))
    assert moving.drawn() is not first
