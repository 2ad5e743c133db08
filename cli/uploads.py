"""Files of the user's for image, mask, audio and video inputs: copied into the engine's input folder, named by content."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from comfyd.errors import ComfydError, Refused, Unavailable
from comfyd.protocol import StatusReply, StatusRequest, WaitReady
from comfyd.workflow.wording import shown

from .terminal import Terminal

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue, Document
    from comfyd.workflow.naming.address import Names

Overrides = list[tuple[str, str]]

_PATHS = ("./", "../", "/", "~")


def name_files(values: Iterable[str]) -> bool:
    """Whether any of these may be a local file; all that a command without one pays."""
    return any(value.startswith(_PATHS) or ("." in value and _exists(value)) for value in values)


def uploaded(
    terminal: Terminal,
    given: "Document",
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]],
    *,
    start: bool,
    quiet: bool = False,
) -> tuple[list[str], Overrides]:
    """Words and overrides with local files replaced by names in the engine's input folder; raises FileNotUsable."""
    if not name_files([*words, *(value for _, value in overrides)]):
        return list(words), list(overrides)
    from .catalogue import catalogue

    known = catalogue(terminal, start=start)
    try:
        pairs, files = _files(given, known, words, overrides)
    except Refused:
        return list(words), list(overrides)  # the daemon, whose catalogue is the newest, says what is wrong
    if not files:
        return list(words), list(overrides)
    folder = _input_folder(terminal, start=start)
    names = {path: _copied(Path(path).expanduser(), folder, terminal, quiet=quiet) for path in dict.fromkeys(files.values())}
    return [], [(name, names[files[at]] if at in files else value) for at, (name, value) in enumerate(pairs)]


def _files(
    given: "Document", known: "Catalogue", words: Sequence[str], overrides: Sequence[tuple[str, str]]
) -> tuple[Overrides, dict[int, str]]:
    """All pairs, and the paths among their values by position."""
    from comfyd.workflow import prepare
    from comfyd.workflow.naming.address import Names
    from comfyd.workflow.naming.words import overrides as paired

    names = Names.of(prepare(given.api, given.ui, known), known, given.aliases)
    pairs = [*overrides, *paired(words, names)]
    return pairs, {at: value for at, (name, value) in enumerate(pairs) if _is_file(names, name, value)}


def _is_file(names: "Names", name: str, value: str) -> bool:
    """Whether the value is a path for an input that takes files, and no name that the engine knows."""
    spec = None
    with suppress(ComfydError):
        spec = names.input(names.find(name)[0])
    if spec is None or not spec.uploads or spec.choices is None:
        return False
    return value.startswith(_PATHS) or (value not in spec.choices and _exists(value))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long for a name, or with characters that none has
        return False


def _input_folder(terminal: Terminal, *, start: bool) -> Path:
    """The input folder of the engine, which is waited for where it has not told yet."""
    from .connection import answered, connected
    from .display import display_for

    with connected(terminal, start=start) as client:
        status = client.call(StatusRequest())
        if not (isinstance(status, StatusReply) and status.engine.input_dir):
            status = answered(client, WaitReady(), display_for(terminal))
    if not (isinstance(status, StatusReply) and status.engine.input_dir):
        raise Unavailable("The engine does not tell its input folder; comfyd restart starts one that does.")
    return Path(status.engine.input_dir)


def _copied(path: Path, folder: Path, terminal: Terminal, *, quiet: bool) -> str:
    """The name under which the file is in the folder, and a word about it."""
    from comfyd.uploads import put

    name, how = put(path, folder)
    if how and not quiet:
        terminal.note(f"{shown(str(path))} {how} as {name}")
    return name
