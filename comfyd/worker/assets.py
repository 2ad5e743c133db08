"""ComfyUI's asset database while its ``main`` and ``server`` are imported: they name it and only a running server uses it.

What they bind is found when it is used; whoever imports the database later, such as a node pack, gets the real modules. That
spares a start SQLAlchemy and Alembic.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_MODULES = (
    "app.assets.api.routes",
    "app.assets.seeder",
    "app.assets.services",
    "app.assets.services.asset_management",
    "app.assets.services.ingest",
    "app.assets.services.path_utils",
    "app.database.db",
)


class _Name:
    """A function or object of the database, imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._of = module, name

    def _real(self) -> Any:
        module, name = self._of
        return getattr(importlib.import_module(module), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(self.__name__, name)


@contextlib.contextmanager
def named_only() -> Iterator[None]:
    """Within, imports from the database's modules bind names that are looked up when they are used."""
    absent = [name for name in _MODULES if name not in sys.modules]
    sys.modules.update({name: _StandIn(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
