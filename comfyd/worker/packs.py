"""Loads ComfyUI's node files and custom node packs with ComfyUI's own loader, or lets node files wait.

A node file of ComfyUI's own waits where an earlier start has seen which classes it gives and that its import does nothing else.
Files that import each other do not wait: which of them can be the first is known of the order of a start only.
Packs of custom nodes never wait: they replace functions, register routes and read the node classes when they are imported, and
nothing tells which of them does not. Where one replaces functions of the engine, or may, everything that waits is imported
first, so that it finds what it would find in ComfyUI.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import comfy.samplers
import folder_paths
import nodes
import server

from comfyd import provenance
from comfyd.protocol import PackInfo

from . import deferral
from .blackbox import BlackBox
from .known import Known
from .nodeclasses import NodeClasses
from .synchronously import complete

_CUSTOM = "custom_nodes"
_ENGINE = re.compile(
    r"(comfy|comfy_\w+|nodes|execution|server|folder_paths|latent_preview|node_helpers|torch\.nn\.functional)(\.|$)"
)

Loader = Callable[..., Coroutine[Any, Any, bool]]


class Packs:
    """The node files and packs of this start, in the order in which ComfyUI loads them."""

    def __init__(self, known: Known, waiting: deferral.Deferral, blackbox: BlackBox, left_out: dict[str, str]) -> None:
        self.classes = NodeClasses(nodes.NODE_CLASS_MAPPINGS)
        self.classes.load = self._import_late
        nodes.NODE_CLASS_MAPPINGS = self.classes
        self.report: list[PackInfo] = []
        self.modules: dict[str, list[str]] = {}
        self.eager: list[str] = []
        self.display_names: dict[str, str] = {}
        self.patching = False
        self.stamps = {path: provenance.stamp(path) for path in folder_paths.get_folder_paths(_CUSTOM)}
        self.changed = self.stamps != known.made_of.packs
        self._known = known
        self._deferral = waiting
        self._blackbox = blackbox
        self._left_out = left_out
        self._paths: dict[str, str] = {}
        self._before: dict[str, dict[str, Any]] | None = None
        self._trying_again = False
        self._load: Loader = nodes.load_custom_node

    @property
    def failed(self) -> list[str]:
        """Names of what could not be imported."""
        return [info.name for info in self.report if info.error]

    async def load_all(self, *, custom: bool, api: bool) -> None:
        """Loads everything; what fails is reported and stops nothing."""
        nodes.load_custom_node = self._load_or_wait
        try:
            await nodes.init_extra_nodes(init_custom_nodes=custom, init_api_nodes=api)
            self.patching = self._before is not None and _changed(self._before)
        finally:
            nodes.load_custom_node = self._load
        self._end_of_own()

    def import_rest(self) -> None:
        """Imports whatever waits of the engine and its node files, as ComfyUI has done it when the first pack is imported."""
        deferral.execute_engine()
        self.classes.import_all()
        deferral.execute_engine()

    # ------------------------------------------------------------ one file or pack

    async def _load_or_wait(self, module_path: str, ignore: Any = frozenset(), module_parent: str = _CUSTOM) -> bool:
        if module_parent == _CUSTOM:
            return await self._load_pack(module_path, ignore)
        module = f"{module_parent}.{nodes.get_module_name(module_path)}"
        self._paths[module] = module_path
        if (names := self._known.modules.get(module)) and module not in self._known.made_of.eager:
            self.classes.expect(module, names)
            nodes.NODE_DISPLAY_NAME_MAPPINGS.update(
                {name: self._known.display_names[name] for name in names if name in self._known.display_names}
            )
            self.modules[module] = names
            return True
        return await self._load_own(module, ignore)

    async def _load_own(self, module: str, ignore: Any = frozenset()) -> bool:
        parent = module.partition(".")[0]
        before, effects, siblings = self.classes.given(), _effects(), _siblings(parent)
        with self._deferral.active():
            info = await self._timed(self._paths[module], ignore, parent)
        self.modules[module] = [name for name, given in self.classes.given().items() if given is not before.get(name)]
        if _effects() != effects or len(_siblings(parent) - siblings) > 1:
            self.eager.append(module)
        if info.error:
            self.report.append(info)
        return not info.error

    async def _load_pack(self, module_path: str, ignore: Any) -> bool:
        name = Path(module_path).name
        if reason := self._left_out.get(name):
            self.report.append(PackInfo(name=name, seconds=0.0, error=reason))
            return False
        if self._before is None and (self.changed or self._known.made_of.patching):
            self._end_of_own()
            self.import_rest()
            self._before = _globals()
        self._blackbox.importing(name)
        info = await self._timed(module_path, ignore, _CUSTOM)
        self._blackbox.clear()
        self.report.append(info)
        return not info.error

    async def _timed(self, module_path: str, ignore: Any, parent: str) -> PackInfo:
        begun, complaints = time.perf_counter(), _Complaints()
        logging.getLogger().addHandler(complaints)
        try:
            loaded = await self._load(module_path, ignore, module_parent=parent)
        except (SystemExit, KeyboardInterrupt):  # all that ComfyUI's loader lets through
            logging.warning(traceback.format_exc())
            loaded = False
        finally:
            logging.getLogger().removeHandler(complaints)
        error = "" if loaded else complaints.reason(module_path)
        return PackInfo(name=Path(module_path).name, seconds=time.perf_counter() - begun, error=error)

    def _import_late(self, module: str) -> None:
        info = self._try_late(module)
        if info.error and not self._trying_again:
            logging.warning("comfyd: node file %s is imported once more after all others: %s", info.name, info.error)
            self._import_others()
            info = self._try_late(module)
        if info.error:
            logging.error("comfyd: node file %s cannot be imported any more: %s", info.name, info.error)
            self.report.append(info)

    def _try_late(self, module: str) -> PackInfo:
        with self._deferral.active(), deferral.isolated():
            return complete(self._timed(self._paths[module], frozenset(), module.partition(".")[0]))

    def _import_others(self) -> None:
        """All but the one that is being imported: where it cannot come first, it finds what it finds at any other start."""
        self._trying_again = True
        try:
            self.import_rest()
        except Exception as error:
            logging.warning("comfyd: what waits cannot be imported: %s", error)
        finally:
            self._trying_again = False

    def _end_of_own(self) -> None:
        """ComfyUI's own node files are through: what they are called is theirs, whatever packs do afterwards."""
        if not self.display_names:
            own = {name for names in self.modules.values() for name in names}
            self.display_names = {name: text for name, text in nodes.NODE_DISPLAY_NAME_MAPPINGS.items() if name in own}


class _Complaints(logging.Handler):
    """What ComfyUI's loader logs instead of raising it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage().strip())

    def reason(self, module_path: str) -> str:
        """One line: the exception, else what was said last."""
        traces = [message for message in self._messages if message.startswith("Traceback")]
        said = traces[-1:] or self._messages[-1:] or ["it failed without a word"]
        return said[0].splitlines()[-1].replace(module_path, Path(module_path).name)


def _effects() -> list[Any]:
    """What the import of a node file can change besides the node classes."""
    instance = getattr(server.PromptServer, "instance", None)
    return [
        len(comfy.samplers.KSampler.SAMPLERS),
        len(comfy.samplers.KSampler.SCHEDULERS),
        {name: len(paths) for name, (paths, _) in folder_paths.folder_names_and_paths.items()},
        len(nodes.EXTENSION_WEB_DIRS),
        len(instance.routes) if instance else 0,
        len(instance.on_prompt_handlers) if instance else 0,
    ]


def _siblings(package: str) -> set[str]:
    """Node files of the package and other files beside them that have been imported by name.

    Those that import each other come together, with the first file that imports one of them.
    """
    found = [(name, module) for name, module in list(sys.modules.items()) if name.rpartition(".")[0] == package]
    return {name for name, module in found if module.__spec__ and module.__spec__.submodule_search_locations is None}


def _globals() -> dict[str, dict[str, Any]]:
    """What the engine's modules hold."""
    modules = [(name, module) for name, module in list(sys.modules.items()) if _ENGINE.match(name)]
    return {name: dict(vars(module)) for name, module in modules if type(module) is type(sys)}


def _changed(before: dict[str, dict[str, Any]]) -> bool:
    """Whether something the engine's modules held has been replaced."""
    for name, held in before.items():
        now = vars(sys.modules[name]) if name in sys.modules else {}
        replaced = [key for key, value in held.items() if not key.startswith("__") and now.get(key) is not value]
        if replaced:
            logging.info("comfyd: node packs have replaced %s in %s", ", ".join(replaced[:5]), name)
            return True
    return False
