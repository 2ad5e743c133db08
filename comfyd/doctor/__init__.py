"""Looks at everything that a job needs and says what is wrong with it and what mends it; changes nothing."""

from collections.abc import Callable, Iterator

from comfyd.config import Config, Paths

from . import daemon, device, engine, storage
from .finding import Finding
from .setup import Setup

__all__ = ["Finding", "examine"]

_EXAMINATIONS: tuple[Callable[[Setup], Iterator[Finding]], ...] = (
    engine.examine,
    device.examine,
    engine.examine_packs,
    storage.examine_models,
    daemon.examine,
    storage.examine_journal,
    storage.examine_disks,
)


def examine(config: Config, paths: Paths) -> Iterator[Finding]:
    """One finding after another, as they are made; the device's takes as long as an import of torch."""
    setup = Setup(config, paths)
    for examination in _EXAMINATIONS:
        yield from examination(setup)
