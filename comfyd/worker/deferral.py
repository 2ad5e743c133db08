"""Modules that are executed when something of theirs is first asked for, as ``importlib.util.LazyLoader`` does it.

Most of a start is the import of things a job may never ask for: model architectures, tokenizers, compilers, scipy. Only modules
that a start in the same environment has already imported without trouble wait, so a broken one is found at the start as
before. Unlike the standard library's loader this one answers questions about a module's file without executing it, is safe
in threads, shields what is imported within a job from the job and the job from it, and tries what fails once more in the
order of a start at which nothing waits.
"""

import contextlib
import importlib.machinery
import importlib.util
import logging
import random
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from typing import Any

from .importturn import turn

_ENGINE = (
    "comfy.ldm.",
    "comfy.text_encoders.",
    "comfy.image_encoders.",
    "comfy.audio_encoders.",
    "comfy.background_removal.",
    "comfy.cldm.",
    "comfy.t2i_adapter.",
)
"""Packages of the engine whose modules define classes and functions and change nothing elsewhere."""
_SINGLE = frozenset({"comfy.sd1_clip", "comfy.sdxl_clip", "comfy.controlnet", "comfy.clip_vision", "comfy.gligen"})
_LIBRARIES = frozenset(
    {
        "av",
        "kornia",
        "scipy.fft",
        "scipy.integrate",
        "scipy.ndimage",
        "scipy.signal",
        "scipy.sparse",
        "scipy.stats",
        "spandrel",
        "torch._dynamo",
        "torchaudio",
        "torchsde",
        "torchvision",
    }
)
_KNOWN_UNEXECUTED = frozenset({"__name__", "__spec__", "__loader__", "__package__", "__file__", "__cached__", "__class__"})

_executing: set[str] = set()


class _Waiting(types.ModuleType):
    """A module that has not been executed yet; it becomes an ordinary one at the first question."""

    def __getattribute__(self, name: str) -> Any:
        if name not in _KNOWN_UNEXECUTED:
            execute(self)
        return types.ModuleType.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _KNOWN_UNEXECUTED:
            execute(self)
        types.ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        execute(self)
        types.ModuleType.__delattr__(self, name)


def execute(module: types.ModuleType) -> None:
    """Imports a module that waits for real; raises what its code raises, and then it goes on waiting."""
    with turn:
        if type(module) is not _Waiting or module.__name__ in _executing:
            return
        try:
            _execute_once(module)
        except Exception as error:
            if _executing:  # it is imported by another one, which is the one to be tried again
                raise
            logging.warning("comfyd: %s is imported once more after all others: %s", module.__name__, error)
            _execute_others(module)
            _execute_once(module)


def _execute_others(module: types.ModuleType) -> None:
    for name in waiting():
        if name != module.__name__:
            with contextlib.suppress(Exception):  # whoever asks for it is told
                _execute_once(sys.modules[name])


def _execute_once(module: types.ModuleType) -> None:
    if type(module) is not _Waiting:
        return
    _executing.add(module.__name__)
    try:
        _execute(module)
    finally:
        _executing.discard(module.__name__)


def _execute(module: types.ModuleType) -> None:
    spec = module.__spec__
    assert spec is not None
    assert isinstance(spec.loader, _LoaderLater)
    loader = spec.loader.loader
    module.__loader__ = spec.loader = loader
    try:
        with isolated():
            loader.exec_module(module)
    except BaseException:
        spec.loader = _LoaderLater(loader)
        raise
    if type(module) is _Waiting:
        module.__class__ = types.ModuleType  # type: ignore[assignment]


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """For an import within a job: as at the start, gradients can be recorded; the job's random numbers are not drawn from."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    with contextlib.ExitStack() as stack:
        stack.callback(random.setstate, random.getstate())
        if hasattr(numpy, "random"):
            stack.callback(numpy.random.set_state, numpy.random.get_state())  # type: ignore[union-attr]
        if hasattr(torch, "inference_mode"):
            stack.callback(torch.set_rng_state, torch.get_rng_state())  # type: ignore[union-attr]
            stack.enter_context(torch.inference_mode(False))  # type: ignore[union-attr]
        yield


class _LoaderLater(Loader):
    """Stands before a module's own loader and leaves the execution for later."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__class__ = _Waiting


class _Finder(MetaPathFinder):
    """Finds the modules that may wait, as Python's own finder finds them."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.names or target is not None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and _can_wait(spec):
            assert spec.loader is not None
            spec.loader = _LoaderLater(spec.loader)
        return spec


class _Existing(MetaPathFinder, Loader):
    """Keeps a package's module from being executed twice.

    ``import package.module`` looks up the package's path, which executes a package that waits, and with it, often, the module;
    Python has asked before whether the module is there, and does not ask again.
    """

    def __init__(self) -> None:
        self._specs: dict[str, importlib.machinery.ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if target is not None or fullname not in sys.modules:
            return None
        self._specs[fullname] = sys.modules[fullname].__spec__
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return sys.modules[spec.name]

    def exec_module(self, module: types.ModuleType) -> None:
        spec = self._specs.pop(module.__name__)
        with contextlib.suppress(AttributeError):  # one that lets nobody set it (torch's configurations) still has it
            module.__spec__ = spec


class Deferral:
    """Lets the modules of these names wait, of those that can."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._finder = _Finder(frozenset(filter(may_wait, names)))
        if self._finder.names:
            sys.meta_path.insert(0, _Existing())

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """What is imported within may wait; elsewhere, in the code of node packs above all, imports are ordinary ones."""
        sys.meta_path.insert(0, self._finder)
        try:
            yield
        finally:
            sys.meta_path.remove(self._finder)


def may_wait(name: str) -> bool:
    """Whether the module of that name is one that can be executed later."""
    return name.startswith(_ENGINE) or name in _SINGLE or name in _LIBRARIES


def _can_wait(spec: importlib.machinery.ModuleSpec) -> bool:
    """Of the engine's packages only modules wait: those that are found through a package need it as it is."""
    if not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
        return False
    return spec.submodule_search_locations is None or spec.name in _LIBRARIES


def imported() -> list[str]:
    """Names of the modules that this process has imported and another one could let wait."""
    return sorted(name for name, module in list(sys.modules.items()) if may_wait(name) and _is_ordinary(module))


def _is_ordinary(module: types.ModuleType) -> bool:
    return type(module) is types.ModuleType and module.__spec__ is not None and _can_wait(module.__spec__)


def waiting() -> list[str]:
    """Names of the modules that wait, in the order in which they were asked for."""
    return [name for name, module in list(sys.modules.items()) if type(module) is _Waiting]


def waiting_of_engine() -> list[str]:
    """Those of the engine's own."""
    return [name for name in waiting() if name not in _LIBRARIES]


def waiting_libraries() -> list[str]:
    """The others."""
    return [name for name in waiting() if name in _LIBRARIES]


def execute_engine() -> None:
    """Executes whatever waits of the engine's own."""
    for name in waiting_of_engine():
        execute(sys.modules[name])
