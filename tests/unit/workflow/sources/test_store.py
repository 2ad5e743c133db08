"""Named workflows: kept whole, found by name, safe from odd names and from each other."""

import json
import threading
from pathlib import Path

import pytest

from comfyd.errors import ComfydError, InvalidName, StoreUnavailable, WorkflowInvalid, WorkflowNotFound
from comfyd.workflow import Document, load
from comfyd.workflow.sources.store import Store, name_from

API = {"1": {"class_type": "SaveImage", "inputs": {"text": "größer\n"}}}
UI = {"nodes": [{"id": 1, "type": "SaveImage"}], "links": [], "version": 0.4}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Empty, its directory not yet there."""
    return Store(tmp_path / "data" / "workflows")


@pytest.mark.parametrize("forms", [{"api": API}, {"ui": UI}, {"api": API, "ui": UI}], ids=["api", "ui", "both"])
def test_what_is_added_is_what_is_loaded(store: Store, forms: dict):
    document = Document(name="x", aliases={"sky": "1.text"}, **forms)
    path = store.add("portrait", document, "/a/b.png")
    assert store.load("portrait") == Document(name="portrait", aliases={"sky": "1.text"}, **forms)
    assert store.names() == ["portrait"]
    assert store.path("portrait") == path
    assert load(str(path)) == Document(name="workflow", **forms)
    about = store.about("portrait")
    assert (about.origin, about.aliases) == ("/a/b.png", {"sky": "1.text"})
    assert about.added


def test_load_finds_them_by_name(store: Store, tmp_path: Path):
    directory = tmp_path / "data" / "workflows"
    store.add("sd1.5", Document(name="x", api=API), "")
    assert load("sd1.5", store=directory) == Document(name="sd1.5", api=API)
    with pytest.raises(WorkflowNotFound, match=r"did you mean 'sd1\.5'"):
        load("sd1.6", store=directory)


def test_the_users_own_store_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("COMFYD_HOME", str(tmp_path))
    Store(tmp_path / "data" / "workflows").add("mine", Document(name="x", ui=UI), "")
    assert load("mine").ui == UI


def test_files_names_and_built_in_ones_that_are_called_the_same(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "data" / "workflows"
    other = {"2": {"class_type": "Other", "inputs": {}}}
    store.add("flow", Document(name="x", api=API), "")
    store.add("flow.v2", Document(name="x", api=API), "")
    for name in ("flow", "flow.v2", "demo"):
        Path(name).write_text(json.dumps(other))
    stored = load("flow", store=directory)
    assert (stored.api, stored.note) == (API, "flow is the stored workflow; the file of that name is './flow'.")
    assert load("./flow", store=directory).api == other
    assert load("flow.v2", store=directory) == Document(name="flow", api=other)
    assert load("demo", store=directory).note == "demo is the built-in workflow; the file of that name is './demo'."
    Path("flow.v2").unlink()
    assert load("flow.v2", store=directory) == Document(name="flow.v2", api=API)
    Path("lonely").write_text(json.dumps(other))
    assert load("lonely", store=directory) == Document(name="lonely", api=other)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "a/b", "a\\b", "-", "--help", "-x", ".hidden", "a b", "a\nb", "a\x1b[31m", "a\0", "x" * 81),
        *("図" * 60, "{", "flow.json", "a.PNG", "demo", "\u202eabc", "a\u200bb", "~", "~root", "/etc/passwd", "a:b", "a*"),
    ],
)
def test_names_that_are_refused(store: Store, name: str, tmp_path: Path):
    with pytest.raises(InvalidName) as error:
        store.add(name, Document(name="x", api=API), "")
    assert error.value.message.isprintable()
    with pytest.raises(WorkflowNotFound) as missing:
        store.path(name)
    assert missing.value.message.isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a", "größe", "図", "sd1.5", "a+b", "flux_dev-2", "7"])
def test_names_that_are_taken(store: Store, name: str):
    store.add(name, Document(name="x", api=API), "")
    assert store.load(name).name == name


@pytest.mark.parametrize(
    ("stem", "name"),
    [("my flow (2)", "my-flow-2"), ("ComfyUI_00001_", "ComfyUI_00001"), ("図 2", "図-2"), ("../..", ""), ("-", "")],
)
def test_the_name_that_a_file_suggests(stem: str, name: str):
    assert name_from(stem) == name


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced(store: Store):
    store.add("flow", Document(name="x", api=API, aliases={"a": "1.text"}), "old")
    with pytest.raises(InvalidName, match="already"):
        store.add("flow", Document(name="x", ui=UI), "new")
    assert store.load("flow").api == API
    store.add("flow", Document(name="x", ui=UI), "new", replace=True)
    assert store.load("flow") == Document(name="flow", ui=UI, aliases={"a": "1.text"})
    assert store.about("flow").origin == "new"
    store.add("other", Document(name="x", ui=UI), "", replace=True)
    assert store.names() == ["flow", "other"]


def test_removing(store: Store, tmp_path: Path):
    store.add("flow", Document(name="x", api=API), "")
    store.remove("flow")
    assert store.names() == []
    assert list((tmp_path / "data" / "workflows").iterdir()) == []
    with pytest.raises(WorkflowNotFound, match="none is stored"):
        store.remove("flow")


def test_of_many_who_add_one_name_at_once_one_succeeds_whole(store: Store, tmp_path: Path):
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def add(number: int) -> None:
        start.wait()
        try:
            store.add("flow", Document(name="x", api={"1": {"class_type": f"C{number}", "inputs": {}}}), str(number))
            outcomes.append(str(number))
        except InvalidName:
            pass

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = outcomes
    assert store.about("flow").origin == winner
    assert (store.load("flow").api or {})["1"]["class_type"] == f"C{winner}"
    assert [entry.name for entry in (tmp_path / "data" / "workflows").iterdir()] == ["flow"]


def test_what_somebody_has_damaged_says_so(store: Store):
    path = store.add("flow", Document(name="x", api=API), "")
    for damage in ("{", '{"aliases": 3}', "[" * 100_000, '{"aliases": {"a": 1}}'):
        path.with_name("about.json").write_text(damage)
        with pytest.raises(WorkflowInvalid, match="correct it or remove it"):
            store.load("flow")
    path.with_name("about.json").unlink()
    assert store.load("flow").aliases == {}
    path.write_text("{")
    with pytest.raises(ComfydError):
        store.load("flow")
    path.unlink()
    assert store.names() == []


def test_what_else_lies_there_is_no_workflow(store: Store, tmp_path: Path):
    store.add("flow", Document(name="x", api=API), "")
    directory = tmp_path / "data" / "workflows"
    (directory / "stray.json").write_text("{}")
    (directory / ".new-abc").mkdir()
    (directory / "empty").mkdir()
    (directory / "a b").mkdir()
    (directory / "a b" / "workflow.json").write_text("{}")
    assert store.names() == ["flow"]


def test_where_nothing_can_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "workflows")
    assert store.names() == []
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        store.add("flow", Document(name="x", api=API), "")
