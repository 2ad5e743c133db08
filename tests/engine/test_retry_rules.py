"""A model call that runs out of memory in its middle is made again with all that it was given."""

from pathlib import Path

from . import rules


def test_residuals_of_controlnets_are_there_the_second_time(comfyui: Path) -> None:
    told = rules.told("retry", comfyui)
    assert (told["plain"], told["captured"]) == ([[11.0]] * 4, 1)
    assert (told["again"], told["left"]) == ([11.0, 11.0], 0)
