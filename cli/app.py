"""The typer application made from the command table: it draws the help pages. Tokens are read by parse.py, which says why."""

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from .commands import GROUPS, HELP, ROOT_OPTIONS, SHELL, WORD_GROUPS
from .spec import Argument, Command, Option

_ENVIRONMENT = (
    ("COMFYD_HOME", "everything comfyd keeps goes into this directory"),
    ("COMFYD_CONFIG", "the configuration file; COMFYD_X sets its setting x"),
    ("COMFYD_TRACEBACK", "1 shows where a fault in comfyd arose"),
    ("NO_COLOR", "no colours"),
)
_READ_BY_ALL = ("NO_COLOR", "TERM", "COLUMNS", "COMFYD_TRACEBACK")
"""What the shell's commands read, because all of them may have something to say."""
_SHELL = "Run ComfyUI workflows in a resident daemon. [bold]comfyd[/bold] alone opens the prompt [bold]comfy>[/bold]."
_REPL = 'NAME VALUE pairs run the workflow: [bold]prompt "a red apple" seed 42[/bold]. Values stay for the next line.'
_KEYS = (
    ("Tab", "completes; the menu says type, range and current value"),
    ("Right", "takes the suggestion; Up and Ctrl-R find earlier lines"),
    ("Alt-Enter", "begins another line; so does Enter within triple quotes"),
    ("Ctrl-X Ctrl-E", "edits the line in your editor"),
    ("Ctrl-C", "cancels the running job, or drops the line"),
    ("Ctrl-D", "leaves; jobs that run go on"),
)
_TYPES = {"job": int, "number": int, "path": Path}


def application(commands: Sequence[Command] = SHELL, *, shell: bool = True) -> typer.Typer:
    """The commands in panels by group; the first word of several commands is an application below it."""
    app = _typer(_SHELL if shell else _REPL, _listed("Environment", _ENVIRONMENT) if shell else _listed("Keys", _KEYS))
    app.callback()(_function("comfyd", (), ROOT_OPTIONS if shell else (HELP,)))
    below: dict[str, typer.Typer] = {}
    for command in sorted(commands, key=lambda command: GROUPS.index(command.group)):
        *group, name = command.name.split()
        if not group:
            _add(app, name, command, panel=command.group)
            continue
        if group[0] not in below:
            below[group[0]] = _group(app, group[0], [one for one in commands if one.name.startswith(f"{group[0]} ")])
        _add(below[group[0]], name, command)
    return app


def _typer(text: str, epilog: str | None = None) -> typer.Typer:
    return typer.Typer(help=text, epilog=epilog, rich_markup_mode="rich", add_completion=False, add_help_option=False)


def _group(app: typer.Typer, name: str, commands: Sequence[Command]) -> typer.Typer:
    read = dict.fromkeys(variable for command in commands for variable in command.environment)
    group = _typer(escape(WORD_GROUPS[name]), _environment(read))
    group.callback()(_function(name, (), (HELP,)))
    app.add_typer(group, name=name, rich_help_panel=commands[0].group)
    return group


def _add(app: typer.Typer, name: str, command: Command, panel: str | None = None) -> None:
    add = app.command(
        name,
        help="\n\n".join(escape(text) for text in (command.summary, command.details) if text),
        short_help=escape(command.summary),
        epilog="\n\n".join(_epilog(command)),
        rich_help_panel=panel,
        add_help_option=False,
    )
    add(_function(name, command.arguments, (*command.options, HELP)))


def _function(name: str, arguments: Sequence[Argument], options: Sequence[Option]) -> Callable[..., None]:
    """A function of the signature that typer reads; it is never called."""

    def described(**values: Any) -> None: ...

    parameters = [*map(_argument, arguments), *map(_option, options)]
    described.__name__ = name
    described.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    described.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return described


def _argument(argument: Argument) -> inspect.Parameter:
    one: type[Any] = _TYPES.get(argument.kind, str)
    default = ... if argument.required else None
    described = typer.Argument(default, metavar=argument.metavar, help=escape(argument.help), show_default=False)
    return _parameter(argument.name, list[one] if argument.many else one, described)  # type: ignore[valid-type]


def _option(option: Option) -> inspect.Parameter:
    described = typer.Option(
        option.default if option.metavar else False,
        *option.flags,
        metavar=option.metavar,  # empty for a switch, whose type would say nothing
        help=escape(option.help),
        show_default=option.default is not None,
        is_eager=option is HELP,
        callback=_draw if option is HELP else None,
    )
    return _parameter(option.name, _TYPES.get(option.kind, str) if option.metavar else bool, described)


def _parameter(name: str, kind: Any, described: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=described, annotation=kind)


def _draw(context: typer.Context, wanted: bool) -> None:
    if wanted:
        context.get_help()  # with rich it prints
        raise typer.Exit


def _epilog(command: Command) -> Iterator[str]:
    if command.examples:
        yield "\n".join(["[bold]Examples[/bold]", *(f"  {escape(example)}" for example in command.examples)])
    if command.where != "repl":
        yield _environment(command.environment)


def _environment(variables: Collection[str]) -> str:
    any_setting = " (COMFYD_X is any setting x of comfyd config show)" * ("COMFYD_X" in variables)
    return f"[bold]Environment[/bold]  {', '.join([*variables, *_READ_BY_ALL])}{any_setting}"


def _listed(heading: str, facts: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in facts)
    return "\n".join([f"[bold]{heading}[/bold]", *(f"  {name:{width}}  {text}" for name, text in facts)])
