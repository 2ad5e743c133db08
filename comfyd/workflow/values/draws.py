"""Choices within a prompt: ``a {red|green} fox`` becomes one of its readings, the same one for the same seed.

The form is that of ComfyUI's editor (``processDynamicPrompt``): braces nest, a backslash keeps the character after it,
``//`` and ``/* */`` are comments. The editor draws by chance; here the seed decides, so that a run can be repeated.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n\r\u2028\u2029]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")


def drawn(text: str, seed: int) -> str:
    """The text with one option of every choice."""
    chances = _chances(f"{seed}\n{text}")
    opened: list[list[list[str]]] = [[[]]]
    for piece in _pieces(_COMMENT.sub("", text)):
        if piece == "{":
            opened.append([[]])
        elif piece == "|" and len(opened) > 1:
            opened[-1].append([])
        elif piece == "}" and len(opened) > 1:
            _close(opened, next(chances))
        else:
            opened[-1][-1].append(piece)
    while len(opened) > 1:
        _close(opened, next(chances))
    return _ESCAPED.sub(r"\1", "".join(opened[0][0]))


def _close(opened: list[list[list[str]]], chance: int) -> None:
    """Put one option of the innermost choice in the choice's place."""
    options = opened.pop()
    opened[-1][-1].append("".join(options[chance % len(options)]))


def _pieces(text: str) -> Iterator[str]:
    return (match.group() for match in re.finditer(r"\\.|[{|}]|[^\\{|}]+|\\", text, re.DOTALL))


def _chances(key: str) -> Iterator[int]:
    """Numbers that depend on the key alone."""
    state = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    while True:
        state = blake2b(state, digest_size=16).digest()
        yield int.from_bytes(state)
