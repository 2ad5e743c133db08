import pytest

from comfyd.engine import managed, record, remove, report
from comfyd.errors import EngineNotFound


@pytest.fixture
def make_tree(paths, make_comfyui):
    def make(digest, date="2026-01-01"):
        tree = make_comfyui(managed.root(paths) / f"0.30.0-{digest}")
        managed.write_marker(tree, managed.Marker("0.30.0", "test", digest, date))
        return tree

    return make


def test_the_newest_tree_comes_first(paths, make_tree):
    old, new = make_tree("z", "2026-01-01"), make_tree("a", "2026-01-02")
    assert managed.trees(paths) == [new, old]


def test_a_tree_elsewhere_is_not_ours_even_with_a_marker(paths, make_tree, tmp_path):
    tree = make_tree("a")
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / managed.MARKER).write_bytes((tree / managed.MARKER).read_bytes())
    assert not managed.is_managed(copy, paths)
    link = managed.root(paths) / "link"
    link.symlink_to(copy)
    assert not managed.is_managed(link, paths)


@pytest.mark.parametrize("text", ["", "{}", '{"version": "0.30.0"}', '{"other": 1}'])
def test_a_damaged_marker_is_none(paths, make_tree, text):
    tree = make_tree("a")
    (tree / managed.MARKER).write_text(text)
    assert not managed.is_managed(tree, paths)


def test_sweeping_keeps_the_newest_tree_and_what_is_not_ours(paths, make_tree):
    old, new = make_tree("a", "2026-01-01"), make_tree("b", "2026-01-02")
    (managed.root(paths) / ".partial-x" / "ComfyUI").mkdir(parents=True)
    (managed.root(paths) / "alien").mkdir()
    managed.sweep(paths)
    assert {child.name for child in managed.root(paths).iterdir()} == {new.name, "alien"}
    assert not old.exists()


def test_furnishing_never_overwrites(paths, make_tree):
    tree = make_tree("a")
    (tree / "models/configs").mkdir(parents=True)
    (tree / "models/configs/v1.yaml").write_text("upstream")
    (tree / "custom_nodes").mkdir()
    (tree / "custom_nodes/save.py").write_text("upstream")
    mine = managed.user_directory(paths) / "custom_nodes/save.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    managed.furnish(paths, tree)
    assert mine.read_text() == "mine"
    assert (managed.user_directory(paths) / "models/configs/v1.yaml").read_text() == "upstream"
    assert {child.name for child in managed.user_directory(paths).iterdir()} == set(managed.USER_FOLDERS)


def test_removing_deletes_trees_and_keeps_the_users_files(paths, make_tree):
    tree = make_tree("a")
    managed.furnish(paths, tree)
    model = managed.user_directory(paths) / "models/mine.safetensors"
    model.write_text("weights")
    record.write(paths, tree)
    size = report.tree_size(tree)
    removed = remove(paths)
    assert (removed.trees, removed.freed, removed.kept) == ([tree], size, managed.user_directory(paths))
    assert not tree.exists()
    assert model.read_text() == "weights"
    assert record.read(paths) is None


def test_removing_leaves_the_choice_of_another_checkout(paths, make_tree, tmp_path):
    make_tree("a")
    record.write(paths, tmp_path)
    remove(paths)
    assert record.read(paths) == tmp_path


def test_what_bears_no_marker_is_not_removed(paths, make_tree):
    tree = make_tree("a")
    (tree / managed.MARKER).unlink()
    with pytest.raises(EngineNotFound, match="bears comfyd's marker"):
        remove(paths)
    assert tree.exists()


def test_a_checkout_of_the_users_own_is_not_removed(paths, make_comfyui, tmp_path):
    mine = make_comfyui(tmp_path / "mine")
    record.write(paths, mine)
    with pytest.raises(EngineNotFound, match=f"{mine} was not installed by comfyd"):
        remove(paths)
    assert (mine / "main.py").exists()
