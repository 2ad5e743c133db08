"""Themes: which one, and that nothing is coloured where no colours are wanted."""

import pytest
from comfyd_cli.prompt.looks import depth, style, theme
from prompt_toolkit.output import ColorDepth


@pytest.mark.parametrize(
    ("setting", "background", "chosen"),
    [("auto", "", "dark"), ("auto", "15;0", "dark"), ("auto", "0;15", "light"), ("dark", "0;15", "dark"), ("light", "", "light")],
)
def test_the_theme_is_as_set_or_as_the_terminal_tells(setting: str, background: str, chosen: str):
    assert theme(setting, {"COLORFGBG": background}) == chosen


def test_without_colours_a_bad_value_is_underlined():
    plain = style("dark", colours=False).get_attrs_for_style_str("class:bad")
    assert plain.underline
    assert plain.color == ""
    assert depth(colours=False) is ColorDepth.DEPTH_1_BIT


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_bad_value_stands_out_in_both_themes(theme: str):
    marked = style(theme, colours=True).get_attrs_for_style_str("class:bad")
    assert marked.underline
    assert marked.color
    assert marked != style(theme, colours=True).get_attrs_for_style_str("class:number")
