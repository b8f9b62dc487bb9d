"""Curves and confusion matrices as SVG."""

from __future__ import annotations

import re
from math import inf, nan

from trainkit.deploy.page.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw_curves
from trainkit.deploy.page.heat import MOST_DRAWN, draw_heat


def lines_of(picture, name):
    found = re.findall(rf'<polyline class="{name}" points="([^"]*)"', picture)
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in found]


def test_curve_goes_from_corner_to_corner():
    (line,) = lines_of(draw_curves([1, 2, 3], {"training": [0.0, 0.5, 1.0]}, title="loss"), "training")
    middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    assert line == [(LEFT, HEIGHT - BOTTOM), middle, (WIDTH - RIGHT, TOP)]


def test_values_that_are_not_finite_leave_a_gap():
    picture = draw_curves([1, 2, 3, 4, 5], {"training": [1.0, 0.5, nan, 0.2, inf]}, title="loss")
    assert [len(line) for line in lines_of(picture, "training")] == [2, 1]


def test_kept_epoch_is_marked_where_it_stands():
    picture = draw_curves([1, 2, 3], {"validation": [0.0, 0.5, 1.0]}, title="loss", kept=2)
    middle = f"{(LEFT + WIDTH - RIGHT) / 2:.1f}"
    assert f'<line class="kept" x1="{middle}" x2="{middle}"' in picture
    assert f'<circle class="validation" cx="{middle}"' in picture
    assert ", kept: 2" in picture


def test_single_epoch_is_a_dot():
    assert '<circle class="training"' in draw_curves([1], {"training": [0.5]}, title="loss")


def test_title_of_a_curve_stays_a_text():
    picture = draw_curves([1, 2], {"training": [1.0, 2.0]}, title='"><script>')
    assert "<script>" not in picture
    assert "&#34;&gt;&lt;script&gt;" in picture


def test_nothing_is_drawn_where_nothing_is_finite():
    assert draw_curves([1], {"training": [nan]}, title="loss") == ""


def test_matrix_has_a_cell_for_each_pair_that_occurs():
    picture = draw_heat([[4, 0, 1], [0, 2, 0], [0, 0, 9]], ["a", "<b>", "c"], "three")
    assert picture.count("<rect") == 5
    assert "<title>a → c: 1</title>" in picture
    assert "<title>&lt;b&gt; → &lt;b&gt;: 2</title>" in picture


def test_matrix_that_is_too_large_is_not_drawn():
    size = 1 + int(MOST_DRAWN**0.5)
    assert draw_heat([[1] * size] * size, ["a"] * size, "many") == ""
