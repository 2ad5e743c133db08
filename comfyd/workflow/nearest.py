"""The known name nearest to one that is unknown, for the end of an error's sentence."""

from collections.abc import Iterable
from itertools import islice

from .wording import shown

_CANDIDATES = 4000
_LONGEST = 120


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar known name, ignoring case; None when nothing is similar. Bounded in time for any input."""
    from difflib import get_close_matches  # only errors pay for its import

    folded = {candidate[:_LONGEST].casefold(): candidate for candidate in islice(known, _CANDIDATES)}
    wanted = name[:_LONGEST].casefold()
    found = get_close_matches(wanted, folded, n=1, cutoff=0.6)
    if not found and wanted:
        found = [key for key in folded if key.startswith(wanted)][:1]
    return folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'seed'?"``, or ``""``."""
    found = nearest(name, known)
    return f"; did you mean {shown(found)}?" if found else ""
