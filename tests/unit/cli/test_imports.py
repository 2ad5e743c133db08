"""What a command must not pay for, seen in a fresh interpreter."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "prompt_toolkit", "asyncio", "typer", "click", "pydantic", "rich", "comfyd.engine", "subprocess"}


@pytest.mark.parametrize(
    "modules",
    [
        "comfyd_cli.main",
        "comfyd_cli.workflows, comfyd_cli.connection, comfyd_cli.follow, comfyd_cli.display, comfyd_cli.lines, comfyd_cli.live",
        "comfyd_cli.daemon, comfyd_cli.jobs, comfyd_cli.memory, comfyd_cli.engine, comfyd_cli.table",
        "comfyd_cli.prompt.session, comfyd_cli.prompt.script, comfyd_cli.completion.known, comfyd_cli.help",
        "comfyd_cli.prompt.running, comfyd_cli.prompt.values, comfyd_cli.prompt.sources, comfyd_cli.prompt.marks",
    ],
)
def test_imports_stay_light(modules: str):
    code = f"import sys, {modules}; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize(
    "code",
    [
        "import comfyd_cli.main as m; m.program = lambda *_: print(gc.get_threshold()); m._end = lambda _: None; m.main()",
        "import comfyd.daemon.__main__ as m; m._arguments = lambda _: print(gc.get_threshold()) or sys.exit(); m.main()",
    ],
)
def test_garbage_is_seldom_looked_for(code: str):
    done = subprocess.run([sys.executable, "-c", f"import gc, sys; {code}"], capture_output=True, text=True, check=True)
    assert done.stdout == "(20000, 20, 100)\n"
