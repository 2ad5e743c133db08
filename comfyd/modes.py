"""The two ways a job's pictures are made, by name."""

from .errors import InvalidValue

EXACT = "exact"
"""The bits of stock ComfyUI."""
FAST = "fast"
"""Compiled kernels: pictures that look the same (at least 40 dB), sooner."""
MODES = (EXACT, FAST)


def chosen(asked: str, default: str) -> str:
    """The mode of a job that asks for this one, or for none; raises InvalidValue."""
    mode = asked or default
    if mode not in MODES:
        from .workflow.wording import shown

        raise InvalidValue(f"There is no mode {shown(mode)}; give {EXACT} (ComfyUI's own bits) or {FAST} (compiled kernels).")
    return mode
