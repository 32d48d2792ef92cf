"""A chain in a notebook: its levels as a table, and nothing of a name runs as HTML."""

import dataclasses

from geodata import cor

EIFFEL = cor.label(48.8584, 2.2945)


def test_levels_and_codes_are_rows():
    shown = EIFFEL._repr_html_()
    assert "<th scope=row>Country</th><td>France</td><td>FR</td>" in shown
    assert "(48.8584, 2.2945)" in shown
    assert "None" not in shown


def test_a_level_that_is_missing_has_no_row():
    assert "City" not in dataclasses.replace(EIFFEL, city=None)._repr_html_()


def test_names_are_text():
    shown = dataclasses.replace(EIFFEL, admin1="<script>", admin1_code='"&')._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert '"&<' not in shown
