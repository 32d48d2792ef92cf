"""What labels say that they depend on."""

import pytest

from geodata import SOFTWARE, cor
from geodata.cor.files import LabelReport, describe


@pytest.mark.parametrize("lang", [None, "ja"])
def test_a_label_depends_on_these(lang):
    engine = cor.labeller(None, "ru", "sovereign", 3.0, **({"lang": lang} if lang else {}))
    assert list(describe(engine).items()) == [
        ("software", SOFTWARE),
        ("boundaries", engine.boundaries.name),
        ("boundaries_sha256", engine.boundaries.sha256),
        ("places_sha256", engine.places.file.sha256),
        ("worldview", "ru"),
        ("dependencies", "sovereign"),
        *([("lang", lang)] if lang else []),
        ("max_offset_km", 3.0),
    ]


@pytest.mark.parametrize(("beyond", "told"), [(0, False), (10, False), (11, True), (1000, True)])
def test_more_than_a_hundredth_beyond_a_pole_looks_swapped(beyond, told):
    report = LabelReport(1000, {}, beyond, "y", "x", {})
    assert report.swap_hint == (
        f"{beyond} of 1000 values in 'y' are beyond ±90: latitude and longitude may be swapped; "
        "try --lat x --lon y" if told else None
    )  # fmt: skip
