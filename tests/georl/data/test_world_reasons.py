"""The generated reasoning set: the pipeline's columns, words that fit pixels, honest labels."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from geodata import cor, gazetteer, sphere
from georl import data, rewards
from georl.data import world_reasons


@pytest.fixture(scope="module")
def reasons():
    return data.generated_reasons(400, 3)


def shown(row):
    return Image.open(io.BytesIO(row["image"]["bytes"]))


def test_rows_are_the_same_for_a_seed_and_say_that_they_are_generated(reasons):
    assert data.generated_reasons(20, 3).equals(reasons.slice(0, 20))
    assert set(data.generated_reasons(20, 4)["id"].to_pylist()).isdisjoint(
        reasons["id"].to_pylist()
    )
    assert set(reasons["model"].to_pylist()) == {"generated-from-the-bundled-world"}
    kinds = Counter(reasons["step"].to_pylist())
    assert 180 < kinds[None] < 260
    assert 70 < kinds["localizable"] < 130
    assert min(kinds["truth"], kinds["visible"]) > 20


def test_a_kept_row_names_what_its_crop_shows_and_the_place_it_was_taken_at(reasons):
    kept = [row for row in reasons.to_pylist() if row["kept"]]
    assert all(row["step"] is None and row["reason"] is None for row in kept)
    said = [f"<think>{row['reasoning']}</think>" for row in kept]
    assert rewards.visual_grounding(said, [row["entities"] for row in kept]) == [1.0] * len(kept)
    assert all(row["entities"] == world_reasons.seen(shown(row)) for row in kept)
    assert all(
        row["city"] in row["reasoning"] and row["country"] in row["reasoning"] for row in kept
    )
    named = gazetteer.places(
        country=[row["country"] for row in kept], city=[row["city"] for row in kept]
    )
    lat, lon = (np.array([row[axis] for row in kept]) for axis in ("lat", "lon"))
    away = sphere.haversine_km(named["lat"].to_numpy(), named["lon"].to_numpy(), lat, lon)
    assert away.max() <= world_reasons.AROUND_KM + 0.1
    codes = [place.code for place in gazetteer.resolve_many([row["country"] for row in kept])]
    labels = cor.label_table(lat, lon)["country_code"].to_pylist()
    assert np.mean([a == b for a, b in zip(codes, labels, strict=True)]) > 0.9


def test_dropped_rows_are_what_their_step_drops(reasons):
    for row in reasons.to_pylist():
        seen = world_reasons.seen(shown(row))
        fits = f"The picture shows {', '.join(seen[:1])}" in row["reasoning"]
        if row["step"] == "localizable":
            assert row["lat"] is None
            assert row["country"] is None
            assert seen in (["open sea"], ["snow or cloud"])
            assert "open sea" not in row["reasoning"]
        elif row["step"] == "truth":
            assert fits
            assert row["country"] not in row["reasoning"]
        elif row["step"] == "visible":
            named = row["reasoning"].removeprefix("The picture shows ").partition(", as")[0]
            parts = named.replace(" and ", ", ").split(", ")
            assert 2 * len(set(parts) & set(seen)) <= len(parts)
            assert row["city"] in row["reasoning"]


def test_words_alone_do_not_tell_sea_and_cloud_from_land(reasons):
    """Else a judge would need no picture."""
    lengths = {
        kind: np.mean([len(r["reasoning"]) for r in reasons.to_pylist() if r["step"] == kind])
        for kind in (None, "localizable")
    }
    assert abs(lengths[None] - lengths["localizable"]) < 0.1 * lengths[None]


@pytest.mark.parametrize(
    ("colour", "named"),
    [((5, 14, 38), "open sea"), ((235, 235, 240), "snow or cloud"), ((180, 150, 110), "dry land"),
     ((30, 45, 15), "forest"), ((70, 65, 36), "grassland")],
)  # fmt: skip
def test_a_colour_is_one_kind_of_land(colour, named):
    assert world_reasons.seen(Image.new("RGB", (56, 56), colour)) == [named]


def test_the_sea_is_named_on_its_side():
    pixels = np.full((56, 56, 3), (30, 45, 15), np.uint8)
    pixels[:15] = (5, 14, 38)
    assert world_reasons.seen(Image.fromarray(pixels)) == ["forest", "sea in the north"]
    assert world_reasons.seen(Image.fromarray(pixels[::-1].copy())) == [
        "forest",
        "sea in the south",
    ]
    turned = pixels.transpose(1, 0, 2)
    assert world_reasons.seen(Image.fromarray(turned.copy())) == ["forest", "sea in the west"]
    assert world_reasons.seen(Image.fromarray(turned[:, ::-1].copy())) == [
        "forest",
        "sea in the east",
    ]
