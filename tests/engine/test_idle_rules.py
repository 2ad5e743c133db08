"""The rest of a start is done while nobody works, not in the pauses between jobs."""

from pathlib import Path

from . import rules


def test_a_job_that_follows_another_finds_no_piece_before_it(comfyui: Path) -> None:
    before, after_a_job, later = rules.told("idle", comfyui)["pieces"]
    assert (before, after_a_job, later) == (1, 1, 2)
