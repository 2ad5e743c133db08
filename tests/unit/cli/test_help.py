"""Help pages come from the table."""

import pytest
from comfyd_cli.commands import REPL, SHELL
from comfyd_cli.help import page
from comfyd_cli.spec import Command

from comfyd.errors import UsageError


@pytest.mark.parametrize("command", SHELL, ids=lambda command: command.name)
def test_a_page_names_options_and_variables(command: Command):
    text = "\n".join(page(command.name.split(), 80))
    for option in command.options:
        assert option.flags[0] in text
    for variable in command.environment:
        assert variable in text
    assert command.summary.split()[0] in text


def test_usage():
    assert page(["run"], 80)[0] == "comfyd run WORKFLOW [NAME VALUE]... [options]"
    assert page(["run"], 80, REPL)[0] == "run [NAME VALUE]... [options]"
    assert page(["cancel"], 80)[0] == "comfyd cancel JOB... [options]"


@pytest.mark.parametrize("commands", [SHELL, REPL], ids=["shell", "repl"])
def test_the_overview_names_every_command(commands: tuple[Command, ...]):
    text = "\n".join(page([], 80, commands))
    assert all(f"  {command.name}  " in text for command in commands)
    assert all(len(line) <= 80 for line in page([], 80, commands))


def test_a_group_lists_its_members():
    assert len(page(["engine"], 80)) == 5


def test_an_unknown_command():
    with pytest.raises(UsageError, match="did you mean 'run'"):
        page(["rnu"], 80)
    with pytest.raises(UsageError, match="one command"):
        page(["run", "stop"], 80)
