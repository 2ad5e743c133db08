"""comfyd: a resident daemon for ComfyUI workflows. ``comfyd.connect()`` is the way in for Python programs.

    import comfyd

    with comfyd.connect() as comfy:
        result = comfy.run("demo", prompt="a red fox", seed=42)
        result.images[0].pil()

What goes wrong is a ``comfyd.errors.ComfydError``, which has a stable ``code`` and one sentence that says what to do.
What programs use is imported when it is first asked for: the daemon and the worker import this module, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors
    from .api import Connection, Image, Job, Result, connect

__version__ = "0.1.0"
__all__ = ["Connection", "Image", "Job", "Result", "connect", "errors"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(".errors", __name__) if name == "errors" else getattr(import_module(".api", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
