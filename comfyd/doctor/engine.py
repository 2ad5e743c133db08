"""ComfyUI, the interpreter that runs it, and the node packs."""

import sys
from collections.abc import Iterator
from platform import python_version

from comfyd import __version__
from comfyd.config import Config, Paths
from comfyd.engine.checkout import SUPPORTED_FROM
from comfyd.engine.report import EngineStatus, status
from comfyd.errors import EngineNotFound, EngineNotInstalled

from . import catalogue
from .finding import Finding, counted, ok, problem, warning

_SLOW = 2.0  # seconds of an import that are worth a word
_SHOWN = 3


def examine(config: Config, paths: Paths) -> Iterator[Finding]:
    """This interpreter, then the engine that would be used."""
    yield ok("comfyd", f"{__version__} on Python {python_version()} ({sys.executable})")
    try:
        yield from _engine(status(config, paths))
    except EngineNotInstalled as error:
        sentence, _, fix = error.message.partition("; ")
        found = warning if config.auto_install else problem
        yield found("comfyui", f"{sentence}.", f"{fix[:1].upper()}{fix[1:]}" + " The first start does it." * config.auto_install)
    except EngineNotFound as error:
        sentence, _, fix = error.message.partition("; ")
        yield problem("comfyui", f"{sentence.rstrip('.')}.", f"{fix[:1].upper()}{fix[1:]}")


def _engine(found: EngineStatus) -> Iterator[Finding]:
    engine = found.engine
    where = f"{engine.version or 'of unknown version'} in {engine.comfyui}" + ", managed by comfyd" * engine.managed
    if found.supported:
        yield ok("comfyui", where)
    else:
        tried = ".".join(map(str, SUPPORTED_FROM))
        yield warning("comfyui", f"{where}; this comfyd was tried with {tried}.x", "`comfyd engine install` brings one that was.")
    yield ok("worker", f"Python {found.python_version} ({engine.python}), torch {found.torch}")


def examine_packs(config: Config, paths: Paths) -> Iterator[Finding]:
    """What the last start of the engine said about the imports of node packs."""
    packs = catalogue.packs(config, paths)
    if packs is None:
        yield warning("nodes", "the engine has not started yet, so that its nodes are unknown", "`comfyd start` starts it.")
        return
    for pack in packs:
        if pack.error:
            fix = "Mend, update or remove it below custom_nodes, then `comfyd restart`; `comfyd logs` has the traceback."
            yield problem(f"pack {pack.name}", f"failed to import: {pack.error}", fix)
    good = sorted((pack for pack in packs if not pack.error), key=lambda pack: -pack.seconds)
    slow = [f"{pack.name} {pack.seconds:.1f} s" for pack in good if pack.seconds >= _SLOW]
    custom = f"{counted(len(good), 'pack')} imported in {sum(pack.seconds for pack in good):.1f} s"
    longest = ", ".join(slow or [f"{pack.name} {pack.seconds:.2f} s" for pack in good[:_SHOWN]])
    yield ok("nodes", f"{custom} (longest: {longest})" if good else "no pack of custom nodes")
