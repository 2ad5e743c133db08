import pytest

from comfyd.engine.git import split_source
from comfyd.errors import EngineInstallFailed


@pytest.mark.parametrize(
    ("source", "url", "ref"),
    [
        ("https://host/ComfyUI.git", "https://host/ComfyUI.git", "HEAD"),
        ("https://host/ComfyUI.git@v0.30.0", "https://host/ComfyUI.git", "v0.30.0"),
        ("git+https://host/ComfyUI@feature/x", "https://host/ComfyUI", "feature/x"),
        ("https://user@host/ComfyUI.git", "https://user@host/ComfyUI.git", "HEAD"),
        ("ssh://git@host/a/ComfyUI.git", "ssh://git@host/a/ComfyUI.git", "HEAD"),
        ("git@host:a/ComfyUI.git", "git@host:a/ComfyUI.git", "HEAD"),
        ("git@host:a/ComfyUI.git@0123abc", "git@host:a/ComfyUI.git", "0123abc"),
        ("/srv/ComfyUI@master", "/srv/ComfyUI", "master"),
    ],
)
def test_url_and_ref(source, url, ref):
    assert split_source(source) == (url, ref)


@pytest.mark.parametrize("source", ["", "--upload-pack=x", "https://host/a@", "@v1"])
def test_what_is_no_url(source):
    with pytest.raises(EngineInstallFailed, match="no git URL"):
        split_source(source)
