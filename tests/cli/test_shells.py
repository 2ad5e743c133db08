"""Tab in real shells, in pseudo-terminals; what stands on the line afterwards is printed word by word by printf."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from comfyd_cli.commands import SHELL
from comfyd_cli.shells import FILES, SCRIPTS

from tests.daemon_process import LIMIT

from .conftest import COMFYD, Shell, plain

SCRIPT_FOLDER = Path(__file__).parents[2] / "completions"
LINE_START, END = "\x01", "<END>"
SETUP = {
    "bash": "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; source {script}",
    "zsh": "bindkey -e; fpath=({folder} $fpath); autoload -Uz compinit && compinit -u; unsetopt prompt_sp",
    "fish": "source {script}",
}
COMMAND = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"], "fish": ["fish", "-i", "--no-config"]}


class Tab:
    """A shell in which comfyd's completions are loaded."""

    def __init__(self, name: str, home: Path) -> None:
        command, *arguments = COMMAND[name]
        environment = os.environ | {
            "HOME": str(home),
            "PATH": f"{COMFYD.parent}{os.pathsep}{os.environ['PATH']}",
            "PS1": "ready> ",
            "TERM": "dumb" if name == "bash" else "xterm",
        }
        self.child = pexpect.spawn(
            command, arguments, cwd=str(home), env=environment, dimensions=(50, 200), encoding="utf-8", timeout=LIMIT
        )
        setup = SETUP[name].format(script=SCRIPT_FOLDER / FILES[name], folder=SCRIPT_FOLDER)
        self.child.sendline(f"{setup}; printf '<%s>' set up")
        self.child.expect("<set><up>")

    def line(self, typed: str, tabs: int = 1) -> list[str]:
        """The words of the line after Tab."""
        self.child.send(typed + "\t" * tabs)
        self.child.send(f"{LINE_START}printf '<%s>' \x05 '{END[1:-1]}'\r")
        self.child.expect(f"((?:<[^<>]*>)+){END}")
        return re.findall("<([^<>]*)>", plain(self.child.match.group(1)))


@pytest.fixture(params=list(COMMAND))
def tab(request: pytest.FixtureRequest, shell: Shell, tmp_path: Path) -> Iterator[Tab]:
    """A shell beside a home with a catalogue and a stored workflow; no daemon runs any more."""
    if not shutil.which(COMMAND[request.param][0]):
        pytest.skip(f"{request.param} is not installed")
    shell.run("run", "demo", "--quiet")
    shell.run("workflow", "add", "demo", "my-portrait")
    shell.run("stop")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "flow.json").write_text("{}")
    opened = Tab(request.param, tmp_path)
    yield opened
    opened.child.close(force=True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("comfyd hist", ["comfyd", "history"]),
        ("comfyd engine sta", ["comfyd", "engine", "status"]),
        ("comfyd run my-p", ["comfyd", "run", "my-portrait"]),
        ("comfyd run pict", ["comfyd", "run", "pictures/"]),
        ("comfyd run pictures/f", ["comfyd", "run", "pictures/flow.json"]),
        ("comfyd sweep demo prompt @pict", ["comfyd", "sweep", "demo", "prompt", "@pictures/"]),
        ("comfyd sweep demo prompt @pictures/f", ["comfyd", "sweep", "demo", "prompt", "@pictures/flow.json"]),
        ("comfyd run demo sched", ["comfyd", "run", "demo", "scheduler"]),
        ("comfyd run demo scheduler karr", ["comfyd", "run", "demo", "scheduler", "karras"]),
        ("comfyd run demo --det", ["comfyd", "run", "demo", "--detach"]),
        ("comfyd run my-portrait 5.sampler_n", ["comfyd", "run", "my-portrait", "5.sampler_name"]),
        ("comfyd run demo prompt 'a red fox' sched", ["comfyd", "run", "demo", "prompt", "a red fox", "scheduler"]),
        ("comfyd no-such-comm", ["comfyd", "no-such-comm"]),
    ],
)
def test_what_tab_makes_of_a_line(tab: Tab, typed: str, words: list[str]) -> None:
    assert tab.line(typed) == words


def test_the_scripts_in_the_tree_are_those_of_the_table() -> None:
    for name, script in SCRIPTS.items():
        assert (SCRIPT_FOLDER / FILES[name]).read_text() == script(SHELL), (
            f"comfyd completions show {name} > completions/{FILES[name]}"
        )


@pytest.mark.parametrize("name", list(COMMAND))
def test_install_lets_a_new_shell_complete(
    name: str, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/bin/{name}")
    installed = shell.run("completions", "install")
    assert installed.status == 0
    assert shell.run("completions", "install", name).status == 0
    start_files = [file for file in (tmp_path / ".bashrc", tmp_path / ".zshrc") if file.exists()]
    assert all(file.read_text().count("comfyd completions") == 1 for file in start_files)
    environment = os.environ | {"PATH": f"{COMFYD.parent}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm"}
    child = pexpect.spawn(name, ["-i"], env=environment, encoding="utf-8", timeout=LIMIT, dimensions=(50, 200))
    if name == "bash" and not start_files:
        child.sendline(f"source '{installed.out.strip()}'")  # as the bash-completion package does when it is first needed
    child.sendline("printf '<%s>' set up")
    child.expect("<set><up>")
    child.send("comfyd hist\t")
    child.send(f"{LINE_START}printf '<%s>' \r")
    child.expect("<comfyd><history>")
    child.close(force=True)
    assert shell.run("completions", "uninstall").status == 0
    assert not Path(installed.out.strip()).exists()
    assert all("comfyd" not in file.read_text() for file in start_files)


def test_an_unknown_shell_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    refused = shell.run("completions", "install")
    assert (refused.status, "no completions for tcsh; give one of bash, zsh, fish" in refused.err) == (2, True)
