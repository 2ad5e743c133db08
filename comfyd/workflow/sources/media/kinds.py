"""What kind of file this is, by its first bytes: names lie, and standard input has none."""

LARGEST_HEADER = 100_000_000
"""Bytes of a safetensors header that its format allows."""
READABLE = "PNG, WebP, JPEG, AVIF, SVG, EXR, MP4, MOV, WebM, MP3, FLAC, Ogg, GLB and safetensors"

_BEGINS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"\x1aE\xdf\xa3": "ebml",
    b"fLaC": "flac",
    b"OggS": "ogg",
    b"ID3": "id3",
    b"\xff\xfb": "id3",
    b"\xff\xf3": "id3",
    b"\xff\xf2": "id3",
    b"\x76\x2f\x31\x01": "exr",
    b"glTF": "glb",
}
_MOVIE = {b"ftyp", b"moov", b"mdat", b"wide"}
_STILL = {b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"hevc"}


def reader_of(head: bytes) -> str | None:
    """The module here that reads a file which begins like this; None for what may be JSON or nothing known."""
    for magic, name in _BEGINS.items():
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] in _MOVIE:
        return "avif" if head[8:12] in _STILL else "isobmff"
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= LARGEST_HEADER:
        return "safetensors"
    return "svg" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:4].lower() in (b"<svg", b"<?xm", b"<!do", b"<!--") else None
