"""What a terminal makes of the escape sequences, so that encoders are judged by what would be seen."""

import base64
import io
import re

from PIL import Image

_REPEATED = re.compile(r"!(\d+)(.)")


def kitty(text: str) -> tuple[dict[str, str], Image.Image]:
    """The keys of the first chunk, and the picture of all; no chunk may be longer than the protocol allows."""
    chunks = re.findall(r"\x1b_G([^;\x1b]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{head};{data}\x1b\\" for head, data in chunks) == text
    heads = [dict(pair.split("=") for pair in head.split(",")) for head, _ in chunks]
    assert all(len(data) <= 4096 for _, data in chunks)
    assert [head["m"] for head in heads] == ["1"] * (len(chunks) - 1) + ["0"]
    data = base64.b64decode("".join(data for _, data in chunks))
    if heads[0]["f"] == "100":
        return heads[0], Image.open(io.BytesIO(data))
    return heads[0], Image.frombytes("RGB", (int(heads[0]["s"]), int(heads[0]["v"])), data)


def iterm2(text: str) -> tuple[dict[str, str], Image.Image]:
    """The arguments, and the picture."""
    found = re.fullmatch(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\a", text)
    assert found
    data = base64.b64decode(found[2])
    arguments = dict(pair.split("=") for pair in found[1].split(";"))
    assert int(arguments["size"]) == len(data)
    return arguments, Image.open(io.BytesIO(data))


def sixel(text: str) -> Image.Image:
    """The picture; a pixel that no colour reaches stays magenta."""
    found = re.fullmatch(r'\x1bP[\d;]*q"1;1;(\d+);(\d+)(.*)\x1b\\', text, re.DOTALL)
    assert found
    image = Image.new("RGB", (int(found[1]), int(found[2])), (255, 0, 255))
    body = _REPEATED.sub(lambda run: run[2] * int(run[1]), found[3])
    colours: dict[int, tuple[int, ...]] = {}
    x = top = colour = 0
    for part in re.findall(r"#[\d;]+|[-$]|[?-~]", body):
        if part.startswith("#"):
            colour, *given = map(int, part[1:].split(";"))
            if given:
                assert given[0] == 2
                colours[colour] = tuple(round(value * 255 / 100) for value in given[1:])
        elif part in "-$":
            x, top = 0, top + 6 * (part == "-")
        else:
            for bit in range(6):
                if (ord(part) - 63) >> bit & 1:
                    image.putpixel((x, top + bit), colours[colour])
            x += 1
    return image
