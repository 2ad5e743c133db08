import pytest

from comfyd.engine import checkout


def test_a_directory_with_all_entry_points_is_comfyui(tmp_path, make_comfyui):
    assert checkout.is_comfyui(make_comfyui(tmp_path / "ComfyUI"))


@pytest.mark.parametrize("name", ["main.py", "nodes.py", "execution.py", "comfyui_version.py"])
def test_each_entry_point_is_required(tmp_path, make_comfyui, name):
    directory = make_comfyui(tmp_path / "ComfyUI")
    (directory / name).unlink()
    assert checkout.missing_files(directory) == [name]


def test_the_version_is_read_without_importing(tmp_path, make_comfyui):
    directory = make_comfyui(tmp_path / "ComfyUI", "0.30.1")
    (directory / "comfyui_version.py").write_text("raise SystemExit\n__version__ = '0.30.1'\n")
    assert checkout.read_version(directory) == "0.30.1"


@pytest.mark.parametrize("text", ["", "version = 3", '    __version__ = "1"'])
def test_a_version_that_is_not_stated_is_empty(tmp_path, text):
    (tmp_path / "comfyui_version.py").write_text(text)
    assert checkout.read_version(tmp_path) == ""


@pytest.mark.parametrize(
    ("version", "supported"),
    [("0.30.0", True), ("0.30.7", True), ("0.30", True), ("0.29.9", False), ("0.31.0", False), ("1.0", False), ("", False)],
)
def test_supported_versions(version, supported):
    assert checkout.is_supported(version) is supported
    assert (checkout.support_notice(version) == "") is supported


def test_the_notice_names_both_versions_and_the_fix():
    notice = checkout.support_notice("0.3.44")
    assert "0.3.44" in notice
    assert "0.30.x" in notice
    assert "comfyd engine install" in notice
