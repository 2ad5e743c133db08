"""The catalogue of this start: what is still good of the one on disk, the rest described anew, written where it differs."""

from collections.abc import Iterator

import msgspec
import nodes

from comfyd.provenance import Provenance

from . import catalogue, deferral, known
from .known import Known
from .packs import Packs
from .settings import Settings

_AT_ONCE = 25  # classes described in one piece of idle time: a few milliseconds


class MadeCatalogue:
    """The catalogue's file and what is in it."""

    def __init__(self, settings: Settings, version: str, found: Known, engine: Provenance, packs: Packs) -> None:
        self.file = settings.catalogue_file
        self.fresh = False
        """Whether every entry is of this start."""
        self._demo = str(settings.demo)
        self._version = version
        self._known = found
        self._engine = engine
        self._packs = packs

    def keep(self) -> None:
        """See to it that the file tells what classes there are; choices that earlier entries tell may have become others."""
        before = {} if self._packs.changed else self._known.nodes
        fresh = catalogue.entries(name for name in nodes.NODE_CLASS_MAPPINGS if name not in before or self._is_custom(name))
        self.fresh = not before
        self._write(before | fresh, self._known.made_of.folders if before else catalogue.folders(self._demo))

    def refresh(self) -> Iterator[None]:
        """Describes every class, in pieces, and writes the file anew where choices have changed."""
        names = list(nodes.NODE_CLASS_MAPPINGS)
        fresh: dict[str, msgspec.Raw] = {}
        for start in range(0, len(names), _AT_ONCE):
            fresh |= catalogue.entries(names[start : start + _AT_ONCE])
            yield
        self._write(fresh, catalogue.folders(self._demo))

    def _is_custom(self, name: str) -> bool:
        classes = self._packs.classes
        return not classes.waits(name) and str(getattr(classes[name], "RELATIVE_PYTHON_MODULE", "")).startswith("custom_nodes")

    def _write(self, entries: dict[str, msgspec.Raw], folders: dict[str, int]) -> None:
        made = msgspec.structs.replace(
            self._engine,
            packs=self._packs.stamps,
            folders=folders,
            modules=sorted({*deferral.imported(), *self._known.made_of.modules}),
            eager=self._packs.eager,
            patching=self._packs.patching,
            report=self._packs.report,
        )
        in_order = {name: entries[name] for name in nodes.NODE_CLASS_MAPPINGS if name in entries}
        now = Known(
            made_of=made,
            nodes=in_order,
            display_names=self._packs.display_names,
            replacements=self._known.replacements | catalogue.replacements(),
            modules=self._packs.modules,
        )
        if _comparable(now) != _comparable(self._known):
            known.write(self.file, self._version, now)
        self._known = now


def _comparable(one: Known) -> object:
    """What of it matters to anybody: import times differ at every start."""
    made = msgspec.structs.replace(one.made_of, report=[], modules=[])
    failed = sorted((info.name, info.error) for info in one.made_of.report)
    return made, failed, {name: bytes(entry) for name, entry in one.nodes.items()}, one.modules, one.replacements
