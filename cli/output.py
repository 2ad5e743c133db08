"""Where ``-o`` puts a job's files: checked before the job exists, copied whole afterwards. The engine's own files stay."""

import filecmp
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

from comfyd.errors import ComfydError, NotDelivered, OutputNotWritable, UsageError
from comfyd.protocol import Graph
from comfyd.whole import copy, mode_of

from .suffix import KNOWN, fitting, kind, makes_only_png
from .terminal import Terminal


def check(output: str, terminal: Terminal) -> None:
    """Refuse what could not be written later; raises OutputNotWritable."""
    if output == "-":
        if terminal.stdout.isatty():
            raise OutputNotWritable("-o - writes the picture's bytes, and stdout is a terminal; redirect or pipe it.")
        return
    target = Path(output)
    if not output:
        raise UsageError("-o needs a path that is not empty.")
    if target.exists() and not target.is_dir() and not target.is_file():
        raise OutputNotWritable(f"{target} is neither a file nor a directory; give another path to -o.")
    _probe(target if _is_directory(output) else target.parent)


def check_suffix(output: str, graph: Graph, terminal: Terminal) -> None:
    """Refuse a name that promises another format than the graph makes; raises OutputNotWritable."""
    promised = kind(output)
    if output == "-" or promised == ".png" or promised not in KNOWN or _is_directory(output):
        return
    if makes_only_png(graph, _output_nodes(terminal)):
        fix = Path(output).with_suffix(".png")
        raise OutputNotWritable(f"The workflow saves PNG pictures and -o copies without converting; write -o {fix} instead.")


def _output_nodes(terminal: Terminal) -> Callable[[str], bool] | None:
    """Tells a class that saves or shows something, by the newest catalogue if there is one; unknown classes may."""
    from comfyd.inuse import catalogue_in_use
    from comfyd.workflow import Catalogue

    newest = catalogue_in_use(terminal.paths.cache)
    try:
        known = Catalogue.read(newest) if newest else None
    except ComfydError:
        return None
    return (lambda name: (found := known.node(name)) is None or found.output_node) if known else None


def _is_directory(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _probe(directory: Path) -> None:
    """Write a file where the output will go: permissions alone know nothing of read-only and full disks."""
    if not directory.is_dir():
        raise OutputNotWritable(f"{directory} is not a directory; create it first: mkdir -p {directory}")
    try:
        with tempfile.NamedTemporaryFile(prefix=".comfyd-", dir=directory):
            pass
    except OSError as error:
        raise OutputNotWritable(f"{directory} cannot be written ({error.strerror}); give another path to -o.") from error


def deliver(files: Sequence[str], output: str, terminal: Terminal) -> list[str]:
    """Copy the job's files to where ``-o`` says; the paths written, none for stdout. Raises NotDelivered."""
    if not files:
        raise NotDelivered("The workflow made no file that -o could write; give it an output node such as SaveImage.")
    try:
        if output == "-":
            return _to_stdout(files, terminal)
        if _is_directory(output):
            return [str(_into_directory(Path(file), Path(output))) for file in files]
        return [str(_copy_named(Path(file), name, terminal)) for file, name in zip(files, _names(files, output), strict=True)]
    except OSError as error:
        raise NotDelivered(f"{output} cannot be written ({error.strerror}); the files are kept: {', '.join(files)}") from error


def _to_stdout(files: Sequence[str], terminal: Terminal) -> list[str]:
    if len(files) > 1:
        raise NotDelivered(
            f"-o - writes one file and the workflow made {len(files)}; give -o a directory. They are kept: {', '.join(files)}"
        )
    terminal.bytes(Path(files[0]).read_bytes())
    return []


def _names(files: Sequence[str], output: str) -> list[Path]:
    """The name given for one file, numbered for several."""
    target = Path(output)
    if len(files) == 1:
        return [target]
    return [target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(1, len(files) + 1)]


def _copy_named(file: Path, name: Path, terminal: Terminal) -> Path:
    """Copy; a name that would pass the file off as of another format gets the file's suffix as well."""
    target = fitting(name, file)
    if target != name:
        terminal.note(f"the workflow made a {file.suffix} file, so {name} is written as {target.name}", dim=False)
    return _copy(file, target)


def _into_directory(file: Path, directory: Path) -> Path:
    """Copy under the file's own name; a number is added rather than another file overwritten."""
    for target in _free_names(directory / file.name):
        if target.exists() and filecmp.cmp(file, target, shallow=False):
            return target
        if not target.exists():
            return _copy(file, target)
    raise AssertionError("unreachable")


def _free_names(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(f"{target.stem}-{number}{target.suffix}")


def _copy(file: Path, target: Path) -> Path:
    if not (target.exists() and target.samefile(file)):
        copy(file, target, mode_of(file))
    return target
