"""Where -o puts files."""

from pathlib import Path

import pytest
from comfyd_cli.output import check, check_suffix, deliver

from comfyd.errors import NotDelivered, OutputNotWritable, UsageError

from .conftest import Recorded

GRAPH = {
    "1": {"class_type": "VAEDecode", "inputs": {}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
}


@pytest.fixture
def made(tmp_path: Path) -> list[str]:
    """Two pictures of the engine."""
    folder = tmp_path / "engine"
    folder.mkdir()
    files = [folder / f"demo_{number}.png" for number in (1, 2)]
    for number, file in enumerate(files):
        file.write_bytes(b"picture %d" % number)
    return list(map(str, files))


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's working directory."""
    folder = tmp_path / "there"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_one_file_takes_the_name(made: list[str], there: Path, terminal: Recorded):
    assert deliver(made[:1], "apple.png", terminal) == ["apple.png"]
    assert (there / "apple.png").read_bytes() == b"picture 0"
    assert Path(made[0]).exists()
    assert [entry.name for entry in there.iterdir()] == ["apple.png"]


def test_an_older_file_of_that_name_is_replaced(made: list[str], there: Path, terminal: Recorded):
    (there / "apple.png").write_bytes(b"old")
    deliver(made[:1], "apple.png", terminal)
    assert (there / "apple.png").read_bytes() == b"picture 0"


def test_several_files_are_numbered(made: list[str], there: Path, terminal: Recorded):
    assert deliver(made, "apple.png", terminal) == ["apple-1.png", "apple-2.png"]
    assert (there / "apple-2.png").read_bytes() == b"picture 1"


def test_a_directory_takes_them_by_their_names(made: list[str], there: Path, terminal: Recorded):
    assert deliver(made, ".", terminal) == ["demo_1.png", "demo_2.png"]


def test_in_a_directory_nothing_is_overwritten(made: list[str], there: Path, terminal: Recorded):
    (there / "demo_1.png").write_bytes(b"somebody's")
    assert deliver(made[:1], ".", terminal) == ["demo_1-2.png"]
    assert deliver(made[:1], ".", terminal) == ["demo_1-2.png"]
    assert (there / "demo_1.png").read_bytes() == b"somebody's"


def test_a_name_of_another_format_gets_the_suffix_as_well(made: list[str], there: Path, terminal: Recorded):
    assert deliver(made[:1], "apple.jpg", terminal) == ["apple.jpg.png"]
    assert terminal.err_lines == ["the workflow made a .png file, so apple.jpg is written as apple.jpg.png"]
    assert (there / "apple.jpg.png").read_bytes() == b"picture 0"
    assert deliver(made, "v1.2", terminal) == ["v1-1.2.png", "v1-2.2.png"]


def test_a_name_without_suffix_or_with_the_right_one_is_kept(made: list[str], there: Path, terminal: Recorded):
    assert deliver(made[:1], "apple", terminal) == ["apple"]
    assert deliver(made[:1], "APPLE.PNG", terminal) == ["APPLE.PNG"]
    assert terminal.err_lines == []


@pytest.mark.parametrize("name", ["apple.jpg", "apple.JPEG", "apple.mp4", "some/apple.webp"])
def test_a_format_the_graph_does_not_make_is_refused_before_the_job(name: str, there: Path, terminal: Recorded):
    with pytest.raises(OutputNotWritable, match=r"write -o (some/)?apple\.png instead"):
        check_suffix(name, GRAPH, terminal)


@pytest.mark.parametrize("name", ["apple.png", "apple", "v1.2", "-", "album.jpg"])
def test_names_that_promise_nothing_else_are_not_refused(name: str, there: Path, terminal: Recorded):
    (there / "album.jpg").mkdir()
    check_suffix(name, GRAPH, terminal)


def test_the_engines_own_file_as_the_target(made: list[str], there: Path, terminal: Recorded):
    assert deliver(made[:1], made[0], terminal) == [made[0]]
    assert Path(made[0]).read_bytes() == b"picture 0"


def test_no_file_and_too_many_for_stdout(made: list[str], terminal: Recorded):
    with pytest.raises(NotDelivered, match="made no file"):
        deliver([], "x.png", terminal)
    with pytest.raises(NotDelivered, match="made 2"):
        deliver(made, "-", terminal)


def test_a_file_that_is_gone_says_so(there: Path, terminal: Recorded):
    with pytest.raises(NotDelivered, match="No such file"):
        deliver(["/nowhere/x.png"], "x.png", terminal)
    assert not list(there.iterdir())


def test_checks_before_the_job(there: Path, terminal: Recorded, tmp_path: Path):
    for good in ("x.png", ".", "./", "-", str(tmp_path)):
        check(good, terminal)
    (there / "file").touch()
    for bad in ("missing/x.png", "missing/", "file/x.png", "/dev/null"):
        with pytest.raises(OutputNotWritable):
            check(bad, terminal)
    with pytest.raises(UsageError):
        check("", terminal)
    assert [entry.name for entry in there.iterdir()] == ["file"]


def test_no_bytes_on_a_terminal(tmp_path: Path):
    with pytest.raises(OutputNotWritable, match="stdout is a terminal"):
        check("-", Recorded(tmp_path, tty=True))
