"""Workflows from pictures, under names of one's own and from hostile files, through the installed executable."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.daemon_process import LIMIT
from tests.unit.workflow.sources.media.files import png

from .conftest import COMFYD, Shell, ended, plain

DEMO = json.loads((Path(__file__).parents[2] / "comfyd" / "demo" / "workflow.json").read_text())
ESCAPE = "\x1b[31m\x9b2J\u202e\r"


@pytest.fixture
def picture(shell: Shell) -> Path:
    """The demo in a picture, with a title that would colour a terminal."""
    DEMO["5"]["_meta"]["title"] = f"Sampler {ESCAPE}"
    path = shell.directory / "made.png"
    path.write_bytes(png({"prompt": json.dumps(DEMO)}))
    return path


def test_a_picture_is_run_again_by_its_file_by_its_bytes_and_by_a_name(shell: Shell, picture: Path):
    assert shell.run("run", "made.png", "seed", "7", "-q").status == 0
    with picture.open("rb") as stdin:
        piped = subprocess.run(
            [COMFYD, "run", "-", "seed", "8", "-q"], stdin=stdin, capture_output=True, timeout=LIMIT, check=True
        )
    assert Path(piped.stdout.decode().strip()).exists()
    assert shell.run("workflow", "add", "made.png", "mine").status == 0
    assert shell.run("workflow", "alias", "mine", "grain", "5.seed").status == 0
    named = shell.run("run", "mine", "grain", "9")
    assert named.status == 0
    last = shell.run("history", "--json", "-n", "1").messages[0]["jobs"][0]
    assert (last["workflow"], last["overrides"]) == ("mine", {"5.seed": 9})
    assert shell.run("params", "mine", "--json").status == 0
    assert json.loads(shell.run("convert", "mine", "grain", "10").out)["5"]["inputs"]["seed"] == 10


def test_titles_from_a_file_do_not_reach_the_terminal(shell: Shell, picture: Path):
    shell.run("start")
    child = shell.open("run", "made.png", "seed", "11")
    assert ended(child) == 0
    shown = child.before or ""
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert "\x1b[31m" not in shown
    for command in (
        ["params", "made.png"],
        ["convert", "made.png"],
        ["workflow", "add", "made.png", "mine"],
        ["plan", "made.png"],
    ):
        child = shell.open(*command)
        ended(child)
        assert "\x9b" not in plain(child.before or ""), command
        assert "\u202e" not in plain(child.before or ""), command


HOSTILE = {
    "cut.png": lambda: png({"prompt": json.dumps(DEMO)})[:100],
    "empty.json": lambda: b"",
    "deep.json": lambda: b"[" * 200_000,
    "deep ui.json": lambda: b'{"nodes":[],"x":' + b"[" * 900 + b"]" * 900 + b"}",
    "twice.json": lambda: b'{"1":{"class_type":"A","inputs":{}},"1":{"class_type":"B","inputs":{}}}',
    "nan.json": lambda: b'{"1":{"class_type":"A","inputs":{"x":NaN}}}',
    "binary.json": lambda: bytes(range(256)) * 100,
    "controls.json": lambda: json.dumps({ESCAPE: {"class_type": ESCAPE, "inputs": {}}}).encode(),
    f"name {ESCAPE.replace('/', '')}.png": lambda: png({}),
}


@pytest.mark.parametrize("name", HOSTILE, ids=[name.encode("ascii", "backslashreplace").decode() for name in HOSTILE])
def test_a_hostile_file_is_refused_in_one_sentence(shell: Shell, name: str):
    (shell.directory / name).write_bytes(HOSTILE[name]())
    for command in ("run", "params", "convert", "plan"):
        result = shell.run(command, name)
        assert result.status == 2, (command, result)
        assert result.out == ""
        (sentence,) = [
            line for line in result.err.splitlines() if line != "starting the daemon" and not line.startswith("engine ")
        ]
        assert sentence.startswith("comfyd: ")
        assert sentence.isprintable()
        assert "fault in comfyd" not in sentence
    assert shell.run("run", "demo", "-q").status == 0


def test_a_huge_file_and_one_that_leads_out_are_refused_in_one_sentence(shell: Shell):
    huge = {str(n): {"class_type": "A", "inputs": {}} for n in range(100_000)}
    outside = {"1": {"class_type": "LoadImage", "inputs": {"image": "../../../etc/passwd"}}}
    shell.run("start")
    for graph in (huge, outside):
        (shell.directory / "w.json").write_text(json.dumps(graph))
        result = shell.run("run", "w.json")
        assert result.status == 2
        assert len(result.err.splitlines()) == 1
    assert "leads out" in shell.run("run", "w.json").err
    assert "leads out" in shell.run("convert", "w.json").err
    assert shell.run("run", "demo", "-q").status == 0


def test_what_is_no_file_is_refused_at_once(shell: Shell):
    os.mkfifo(shell.directory / "pipe")
    for name in ("./pipe", "/dev/zero", ".", "/dev/tty", "nowhere.png"):
        result = shell.run("run", name)
        assert result.status == 2, name
        assert result.err.startswith("comfyd: ")
