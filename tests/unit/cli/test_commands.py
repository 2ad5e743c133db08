"""The command table agrees with its handlers and with the configuration."""

import inspect
from importlib import import_module

import pytest
from comfyd_cli.commands import GROUPS, HELP, REPL, SHELL, TABLE
from comfyd_cli.commands.shared import COMFYUI, PREVIEWS
from comfyd_cli.spec import Command

from comfyd.config import Config

NOT_SETTINGS = {"COMFYD_HOME", "COMFYD_CONFIG", "COMFYD_X"}


@pytest.mark.parametrize("command", TABLE, ids=lambda command: f"{command.where}-{command.name}")
def test_the_handler_takes_what_the_table_says(command: Command):
    module, function = command.handler.split(":")
    handler = getattr(import_module(f"comfyd_cli.{module}"), function)
    parameters = dict(inspect.signature(handler).parameters)
    first = parameters.pop(next(iter(parameters)))
    assert first.name == ("session" if command.where == "repl" else "terminal")
    stated = {entry.name for entry in (*command.arguments, *command.options) if entry not in (COMFYUI, *PREVIEWS)}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    required = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
    assert required == stated


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_flags_are_distinct(command: Command):
    flags = [flag for option in (*command.options, HELP) for flag in option.flags]
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.name)
def test_variables_are_settings(command: Command):
    settings = {f"COMFYD_{name.upper()}" for name in Config.__struct_fields__}
    assert {name for name in command.environment if name.startswith("COMFYD_")} <= settings | NOT_SETTINGS


@pytest.mark.parametrize("commands", [SHELL, REPL], ids=["shell", "repl"])
def test_names_are_distinct_and_grouped(commands: tuple[Command, ...]):
    names = [command.name for command in commands]
    assert len(names) == len(set(names))
    assert {command.group for command in commands} <= set(GROUPS)


def test_only_the_last_argument_takes_many():
    for command in TABLE:
        assert not any(argument.many for argument in command.arguments[:-1])
