"""SVG: what its metadata elements hold."""

import re
from collections.abc import Iterator

from .window import Damaged, Window, decoded

_OPEN = re.compile(r"<metadata\b[^>]{0,1000}>\s*(?:<!\[CDATA\[)?", re.IGNORECASE)


def texts(window: Window) -> Iterator[tuple[str, str]]:
    """The text of each metadata element."""
    text, at = decoded(window.all()), 0
    while found := _OPEN.search(text, at):
        at = text.find("</metadata", found.end())
        if at < 0:
            raise Damaged("its metadata does not end")
        yield "metadata", text[found.end() : at].rstrip().removesuffix("]]>")
