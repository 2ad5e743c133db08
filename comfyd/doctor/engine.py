"""ComfyUI, the interpreter that runs it, and the node packs."""

import sys
from collections.abc import Iterator
from platform import python_version

from comfyd import __version__
from comfyd.engine.checkout import SUPPORTED_FROM
from comfyd.engine.report import EngineStatus
from comfyd.errors import EngineNotFound, EngineNotInstalled

from .finding import Finding, counted, ok, problem, warning
from .setup import Setup

_SLOW = 2.0  # seconds of an import that are worth a word
_SHOWN = 3


def examine(setup: Setup) -> Iterator[Finding]:
    """This interpreter, then the engine that would be used."""
    yield ok("comfyd", f"{__version__} on Python {python_version()} ({sys.executable})")
    if isinstance(setup.engine, EngineNotFound):
        yield _missing(setup.engine, installs=setup.config.auto_install)
    else:
        yield from _engine(setup.engine)


def _missing(error: EngineNotFound, *, installs: bool) -> Finding:
    sentence, _, fix = error.message.partition("; ")
    fix = f"{fix[:1].upper()}{fix[1:]}"
    if installs and isinstance(error, EngineNotInstalled):
        return warning("comfyui", f"{sentence}.", f"{fix} The first start does it.")
    return problem("comfyui", f"{sentence.rstrip('.')}.", fix)


def _engine(found: EngineStatus) -> Iterator[Finding]:
    engine = found.engine
    where = f"{engine.version or 'of unknown version'} in {engine.comfyui}" + ", managed by comfyd" * engine.managed
    if found.supported:
        yield ok("comfyui", where)
    else:
        tried = ".".join(map(str, SUPPORTED_FROM))
        yield warning("comfyui", f"{where}; this comfyd was tried with {tried}.x", "`comfyd engine install` brings one that was.")
    yield ok("worker", f"Python {found.python_version} ({engine.python}), torch {found.torch}")


def examine_packs(setup: Setup) -> Iterator[Finding]:
    """What the last start of the engine said about the imports of node packs."""
    if setup.catalogue is None:
        yield warning("nodes", "the engine has not started yet, so that its nodes are unknown", "`comfyd start` starts it.")
        return
    packs = setup.catalogue.made_of.report
    for pack in packs:
        if pack.error:
            fix = "Mend, update or remove it below custom_nodes, then `comfyd restart`; `comfyd logs` has the traceback."
            yield problem(f"pack {pack.name}", f"failed to import: {pack.error}", fix)
    good = sorted((pack for pack in packs if not pack.error), key=lambda pack: -pack.seconds)
    slow = [f"{pack.name} {pack.seconds:.1f} s" for pack in good if pack.seconds >= _SLOW]
    custom = f"{counted(len(good), 'pack')} imported in {sum(pack.seconds for pack in good):.1f} s"
    longest = ", ".join(slow or [f"{pack.name} {pack.seconds:.2f} s" for pack in good[:_SHOWN]])
    yield ok("nodes", f"{custom} (longest: {longest})" if good else "no pack of custom nodes")
