"""Files of every kind with a workflow in them, made by the libraries that ComfyUI and its packs write with."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from PIL import Image, PngImagePlugin

API: dict[str, Any] = {"1": {"class_type": "SaveImage", "inputs": {"text": 'ein Fuchs, größer {als} 日本 \\ "quoted"'}}}
UI: dict[str, Any] = {"nodes": [{"id": 1, "type": "SaveImage", "title": "größer"}], "links": [], "version": 0.4}
TEXTS = {"prompt": json.dumps(API), "workflow": json.dumps(UI)}


def picture() -> Image.Image:
    """Small, and not plain."""
    return Image.fromarray(np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3))


def saved(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """The picture as a file."""
    stream = io.BytesIO()
    (image or picture()).save(stream, kind, **options)
    return stream.getvalue()


def png(texts: dict[str, str], *, how: str = "tEXt") -> bytes:
    """As SaveImage writes it, or with the texts international or compressed."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        if how in ("iTXt", "iTXt compressed"):
            info.add_itxt(key, text, zip=how != "iTXt")
        else:
            info.add_text(key, text, zip=how == "zTXt")
    return saved("PNG", pnginfo=info)


def animated_png(texts: dict[str, str]) -> bytes:
    """As SaveAnimatedPNG writes it: chunks named comf after the first frame."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add(b"comf", key.encode() + b"\0" + text.encode("latin-1"), after_idat=True)
    return saved("PNG", pnginfo=info, save_all=True, append_images=[picture().rotate(90)])


def exif(texts: dict[str, str]) -> Image.Exif:
    """As SaveAnimatedWEBP writes it."""
    tags = Image.Exif()
    for tag, (key, text) in zip((0x0110, 0x010F), texts.items(), strict=False):
        tags[tag] = f"{key}:{text}"
    return tags


def user_comment(text: str, charset: bytes = b"ASCII\0\0\0", encoding: str = "utf-8") -> Image.Exif:
    """As packs write it that save JPEG and AVIF."""
    tags = Image.Exif()
    tags[0x0131] = "a pack"
    tags.get_ifd(0x8769)[0x9286] = charset + text.encode(encoding)
    return tags


def both(texts: dict[str, str]) -> str:
    """The forms in one object."""
    return json.dumps({key: json.loads(text) for key, text in texts.items()})


def with_exif_header(webp: bytes) -> bytes:
    """The WebP with ``Exif\\0\\0`` before the TIFF, as some writers put it there."""
    at = webp.index(b"EXIF")
    size = struct.unpack("<I", webp[at + 4 : at + 8])[0]
    body = b"Exif\0\0" + webp[at + 8 : at + 8 + size]
    chunks = webp[12:at] + b"EXIF" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def video(texts: dict[str, str], container: str, codec: str, **options: str) -> bytes:
    """As SaveVideo and SaveWEBM write it."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=container, options=options) as output:
        output.metadata.update(texts)
        track = output.add_stream(codec, rate=8)
        track.width = track.height = 64
        track.pix_fmt = "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 40 * number, np.uint8), format="rgb24")
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return stream.getvalue()


def audio(texts: dict[str, str], container: str, codec: str, **options: str) -> bytes:
    """As SaveAudio and its kin write it."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as output:
        output.metadata.update(texts)
        track = output.add_stream(codec, rate=48000, layout="stereo", options=options)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.float32), format="flt", layout="stereo")
        frame.sample_rate = 48000
        frame.pts = 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return stream.getvalue()


def safetensors(texts: dict[str, str]) -> bytes:
    """As SaveLatent and CheckpointSave write it."""
    header = json.dumps({"__metadata__": texts, "x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


def exr(texts: dict[str, str]) -> bytes:
    """The header that SaveImageAdvanced writes."""
    attributes = b"".join(
        key.encode() + b"\0string\0" + struct.pack("<i", len(text.encode())) + text.encode() for key, text in texts.items()
    )
    window = b"dataWindow\0box2i\0" + struct.pack("<i", 16) + bytes(16)
    return b"\x76\x2f\x31\x01" + struct.pack("<I", 2) + window + attributes + bytes(9)


def glb(texts: dict[str, str]) -> bytes:
    """As SaveGLB writes it."""
    scene = json.dumps({"asset": {"version": "2.0", "extras": texts}}).encode()
    return b"glTF" + struct.pack("<III", 2, 20 + len(scene), len(scene)) + b"JSON" + scene


def svg(texts: dict[str, str]) -> bytes:
    """As SaveSVGNode writes it."""
    return f'<svg xmlns="x">\n  <metadata>\n <![CDATA[\n{both(texts)}\n ]]>\n </metadata><path d="M0 0"/></svg>'.encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def comment(texts: dict[str, str]) -> dict[str, str]:
    """Both forms in a video's comment, one of them encoded twice, as a widespread pack wrote it."""
    return {"comment": json.dumps({key: text if key == "prompt" else json.loads(text) for key, text in texts.items()})}


KINDS: dict[str, Callable[[dict[str, str]], bytes]] = {
    "PNG": png,
    "PNG, iTXt": lambda texts: png(texts, how="iTXt"),
    "PNG, compressed iTXt": lambda texts: png(texts, how="iTXt compressed"),
    "PNG, zTXt": lambda texts: png(texts, how="zTXt"),
    "PNG, EXIF": lambda texts: saved("PNG", exif=exif(texts)),
    "animated PNG": animated_png,
    "WebP": lambda texts: saved("WEBP", exif=exif(texts)),
    "WebP, header": lambda texts: with_exif_header(saved("WEBP", exif=exif(texts))),
    "WebP, capitals": lambda texts: saved("WEBP", exif=exif({key.title(): text for key, text in texts.items()})),
    "animated WebP": lambda texts: saved("WEBP", exif=exif(texts), save_all=True, append_images=[picture().rotate(90)]),
    "JPEG": lambda texts: saved("JPEG", exif=exif(texts)),
    "JPEG, user comment": lambda texts: saved("JPEG", exif=user_comment(both(texts))),
    "JPEG, UTF-16 big": lambda texts: saved("JPEG", exif=user_comment(both(texts), b"UNICODE\0", "utf-16-be")),
    "JPEG, UTF-16 little": lambda texts: saved("JPEG", exif=user_comment(both(texts), b"UNICODE\0", "utf-16-le")),
    "JPEG, comment": lambda texts: saved("JPEG", comment=comment(texts)["comment"].encode()),
    "AVIF": lambda texts: saved("AVIF", exif=exif(texts)),
    "AVIF, user comment": lambda texts: saved("AVIF", exif=user_comment(both(texts))),
    "MP4": lambda texts: video(texts, "mp4", "libx264", movflags="use_metadata_tags"),
    "MP4, comment": lambda texts: video(comment(texts), "mp4", "libx264"),
    "MOV": lambda texts: video(texts, "mov", "libx264", movflags="use_metadata_tags"),
    "MOV, comment": lambda texts: video(comment(texts), "mov", "libx264"),
    "WebM": lambda texts: video(texts, "webm", "libvpx-vp9"),
    "WebM, live": lambda texts: video(texts, "webm", "libvpx-vp9", live="1"),
    "MKV": lambda texts: video(texts, "matroska", "libx264"),
    "MP3": lambda texts: audio(texts, "mp3", "libmp3lame"),
    "FLAC": lambda texts: audio(texts, "flac", "flac"),
    "Opus": lambda texts: audio(texts, "opus", "libopus"),
    "Ogg Vorbis": lambda texts: audio(texts, "ogg", "vorbis", strict="experimental"),
    "Ogg FLAC": lambda texts: audio(texts, "ogg", "flac"),
    "latent": safetensors,
    "EXR": exr,
    "GLB": glb,
    "SVG": svg,
}
"""Every way in which a workflow travels in a file."""
