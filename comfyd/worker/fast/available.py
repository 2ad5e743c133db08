"""Whether this machine can compile at all; asked once, answered in the log once."""

import functools
import logging

import torch

from comfyd.modes import EXACT, FAST


def granted(asked: str) -> str:
    """The mode that a job gets which asks for this one."""
    return FAST if asked == FAST and _obstacle() is None else EXACT


@functools.cache
def _obstacle() -> str | None:
    """What keeps this machine from compiling, told to the log; None: nothing."""
    reason = _no_triton() if torch.cuda.is_available() else _no_compiler()
    if reason is not None:
        logging.warning("comfyd: fast mode is not to be had here, jobs that ask for it are made exactly: %s", reason)
    return reason


def _no_triton() -> str | None:
    from torch.utils._triton import has_triton

    return None if has_triton() else "Triton is not installed; install the triton that belongs to this torch."


def _no_compiler() -> str | None:
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler

        get_cpp_compiler()
    except Exception as error:
        return f"no C++ compiler was found ({type(error).__name__}); install g++."
    return None
