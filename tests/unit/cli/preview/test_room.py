"""How large pictures are."""

import pytest
from comfyd_cli.preview.room import Cells, fitted, room
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 8), ((200, 50), 14), ((80, 100), 14), ((80, 9), 0), ((6, 24), 0)])
def test_a_picture_that_moves_leaves_two_thirds(size: tuple[int, int], rows: int):
    assert room(*size, live=True).rows == rows


def test_a_square_picture_is_twice_as_many_columns_as_rows():
    assert fitted(512, 512, Cells(79, 8)) == Cells(16, 8)
    assert fitted(512, 512, Cells(79, 8), (8, 16)) == Cells(16, 8)
    assert fitted(512, 512, Cells(79, 8), (10, 10)) == Cells(8, 8)


def test_what_is_wide_is_lower():
    assert fitted(2000, 100, Cells(40, 8)) == Cells(40, 1)


@given(st.integers(1, 20000), st.integers(1, 20000), st.integers(1, 300), st.integers(1, 80))
def test_every_picture_fits_and_is_seen(width: int, height: int, columns: int, rows: int):
    box = fitted(width, height, Cells(columns, rows))
    assert 1 <= box.columns <= columns
    assert 1 <= box.rows <= rows
