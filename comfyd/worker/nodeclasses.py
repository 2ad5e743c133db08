"""``nodes.NODE_CLASS_MAPPINGS`` of which some classes are imported when they are asked for.

Names are all there from the beginning, in ComfyUI's order, for whoever lists them or looks whether one is taken; only a class
itself has its module imported. Node packs that replace or remove a class beforehand find it done as they meant it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .importturn import turn

_MISSING: Any = object()


class _Later:
    """Stands for a class whose module has not been imported."""

    __slots__ = ("module",)

    def __init__(self, module: str) -> None:
        self.module = module


class NodeClasses(dict[str, Any]):
    """Node classes by name. ``load`` imports a module of theirs and sets its classes in this very dictionary."""

    def __init__(self, classes: dict[str, Any]) -> None:
        super().__init__(classes)
        self.load: Callable[[str], None] = lambda module: None
        self._expected: dict[str, list[str]] = {}
        self._importing: set[str] = set()
        self._imported: set[str] = set()

    # ------------------------------------------------------------ what waits

    def expect(self, module: str, names: Iterable[str]) -> None:
        """These classes come from this module, which is imported when one of them is asked for."""
        self._expected[module] = list(names)
        for name in self._expected[module]:
            super().__setitem__(name, _Later(module))

    def modules_left(self) -> list[str]:
        """The modules some class of which has not been asked for yet."""
        return list(dict.fromkeys(value.module for value in super().values() if isinstance(value, _Later)))

    def waits(self, name: str) -> bool:
        """Whether the module of this class has not been imported."""
        return isinstance(super().get(name), _Later)

    def given(self) -> dict[str, Any]:
        """What is held for each name: the class, or what stands for it; none is imported."""
        return {name: super(NodeClasses, self).get(name) for name in self}

    def import_module(self, module: str) -> None:
        """Imports it now; what others have set, replaced or removed meanwhile stays so, and what it does not give is gone."""
        with turn:
            if module not in self._importing and module in self.modules_left():
                self._importing.add(module)
                try:
                    self._import(module)
                finally:
                    self._importing.discard(module)

    def _import(self, module: str) -> None:
        later = {name for name, value in super().items() if isinstance(value, _Later) and value.module == module}
        removed = [name for name in self._expected[module] if name not in self]
        before = {name: value for name, value in super().items() if name not in later}
        self.load(module)
        self._imported.add(module)
        super().update({name: value for name, value in before.items() if not self._has_come(value)})
        for name in [*removed, *(name for name in later if isinstance(super(NodeClasses, self).get(name), _Later))]:
            super().pop(name, None)

    def _has_come(self, value: Any) -> bool:
        """Whether it stands for a class of a module that was imported on the way."""
        return isinstance(value, _Later) and value.module in self._imported

    def import_all(self) -> None:
        """Imports every module that is left."""
        for module in self.modules_left():
            self.import_module(module)

    # ------------------------------------------------------------ a dictionary like another

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, _Later):
            self.import_module(value.module)
            value = super().__getitem__(name)
        if isinstance(value, _Later):  # asked for by the import that brings it
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The class, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        """Removes a class and returns it."""
        found = self.get(name, default)
        if found is _MISSING:
            raise KeyError(name)
        super().pop(name, None)
        return found

    def popitem(self) -> tuple[str, Any]:
        """Removes the last class."""
        self.import_all()
        return super().popitem()

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The class of that name, which is the default where there was none."""
        return self[name] if name in self else super().setdefault(name, default)

    # ``dict(self)`` and ``{**self}`` read past ``__getitem__`` unless iteration is a method of the class's own.
    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def values(self) -> Any:
        """All classes."""
        self.import_all()
        return super().values()

    def items(self) -> Any:
        """All names and classes."""
        self.import_all()
        return super().items()

    def copy(self) -> dict[str, Any]:
        """An ordinary dictionary of all classes."""
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        self.import_all()
        return super().__eq__(other)

    __hash__ = None

    def __or__(self, other: dict[Any, Any]) -> dict[Any, Any]:
        return self.copy() | other

    def __ror__(self, other: dict[Any, Any]) -> dict[Any, Any]:
        return other | self.copy()
