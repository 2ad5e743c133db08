"""comfyd: a resident daemon for ComfyUI workflows. ``comfyd.connect()`` is the way in for Python programs.

What programs use is imported when it is first asked for: the daemon and the worker import this module, too.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Connection, Image, Job, Result, connect

__version__ = "0.1.0"
__all__ = ["Connection", "Image", "Job", "Result", "connect"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import api

    return getattr(api, name)
