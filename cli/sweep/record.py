"""What a sweep prints as JSON: a line for each job, and one for the whole."""

from typing import Any

import msgspec

from comfyd.protocol import ErrorInfo


class SweepJob(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=False):
    """One combination that has ended, or with --detach was handed in."""

    number: int
    of: int
    values: dict[str, Any]
    """Of the parameters that vary, by the names that were typed."""
    state: str
    """``done``, ``failed``, ``cancelled``, ``refused``, ``queued``."""
    job: int = 0
    files: list[str] = []
    seconds: float = 0.0
    executed: list[str] = []
    """Ids of the nodes that ran."""
    resumed: bool = False
    """Whether an earlier command made it."""
    error: ErrorInfo | None = None


class Sweep(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """The final line: how many combinations ended how, and where their pictures are."""

    total: int
    done: int
    failed: int
    cancelled: int
    resumed: int
    """Of those that are done, how many were before."""
    seconds: float
    directory: str
    sheet: str | None = None
    page: str | None = None
