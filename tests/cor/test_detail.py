"""What stands behind a label: distances against shapely and pyproj, ids, methods, languages."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely

from geodata import boundaries, cor, files
from tests.boundaries.sets import cantons

SPHERE = pyproj.Geod(a=6_371_000, b=6_371_000)


def along(shape, lat, lon, step=0.002):
    """Distance in km to the boundary of a shape, by pyproj on a sphere, vertex by vertex."""
    window = shapely.box(lon - 3, lat - 3, lon + 3, lat + 3)
    line = shapely.intersection(shapely.boundary(shape), window)
    xy = shapely.get_coordinates(shapely.segmentize(line, step))
    if not len(xy):
        return np.inf
    many = np.full(len(xy), lon), np.full(len(xy), lat)
    return SPHERE.inv(*many, xy[:, 0], xy[:, 1])[2].min() / 1000


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(47.5596, 7.5886), (48.8584, 2.2945), (49.0, -97.2), (-25.69, -54.44), (1.3, 103.8)],
)
def test_border_distances_are_those_of_shapely_and_pyproj(lat, lon):
    """Of the region the point lies in: within ten metres of what its own boundary says."""
    found = boundaries.load()
    countries, units = found.shapes
    chain = cor.label(lat, lon, detail=True)
    country, unit, _ = found.locate_one(lat, lon, max_offset_km=10)
    assert chain.border_km["country"] == pytest.approx(along(countries[country], lat, lon), abs=0.1)
    rows = found.units.to_pylist()
    same = [
        i for i, r in enumerate(rows)
        if (r["country"], r["admin1_name"]) == (chain.country_code, chain.admin1)
    ]  # fmt: skip
    whole = shapely.union_all(units[same])
    assert chain.border_km["admin1"] == pytest.approx(along(whole, lat, lon), abs=0.1)
    if chain.admin2:
        assert chain.border_km["admin2"] == pytest.approx(along(units[unit], lat, lon), abs=0.1)
    assert all(km <= chain.border_km["country"] + 400 for km in chain.border_km.values())


@pytest.mark.parametrize(("view", "whole"), [("un", "UA"), ("ru", "RU")])
def test_what_a_view_joins_has_no_border_inside(view, whole):
    """South of Crimea the sources have a line at sea, with Russian waters behind it."""
    found = boundaries.load()
    ids = found.countries["id"].to_pylist()
    joined = shapely.union_all([found.shapes[0][ids.index(i)] for i in (whole, "UA/crimea")])
    lat, lon = 44.4, 33.95
    (row,) = cor.label_table([lat], [lon], worldview=view, detail=True).to_pylist()
    assert (row["country_code"], row["country_id"]) == (whole, "UA/crimea")
    assert row["country_border_km"] == pytest.approx(along(joined, lat, lon), abs=0.1)
    assert (
        cor.label(lat, lon, worldview=view, detail=True).border_km["country"]
        == (row["country_border_km"])
    )


def test_ids_methods_and_claims_of_each_level():
    paris = cor.label(48.8584, 2.2945, detail=True)
    assert dict(paris.ids)["city"] == "2988507"
    assert (paris.ids["country"], paris.ids["admin1"]) == ("FR", "FR-IDF")
    assert set(paris.method.items()) >= {("country", "inside"), ("admin1", "inside")}
    assert paris.method["city"] == "place"
    assert list(paris.border_km) == ["country", "admin1", "admin2"]
    vatican = cor.label(41.9022, 12.4539, detail=True)
    assert list(vatican.method) == ["country", "city"]
    sea = cor.label(0, -20, detail=True)
    assert (dict(sea.ids), dict(sea.method), dict(sea.border_km)) == ({}, {}, {})
    off = cor.label(36.0, -9.9, max_offset_km=500, detail=True)
    assert off.method["country"] == "nearest"
    assert off.border_km["country"] == pytest.approx(off.offset_km, rel=1e-6)
    crimea = cor.label(44.952, 34.102, detail=True)
    assert ("ru", "RU") in crimea.claims


def test_a_point_on_a_border_is_no_kilometre_away_from_it():
    """A corner of France's own outline: 0 is a distance, alone as in a table."""
    found = boundaries.load()
    france = found.shapes[0][found.countries["code"].to_pylist().index("FR")]
    lon, lat = shapely.get_coordinates(france)[0].tolist()
    assert cor.label(lat, lon, detail=True).border_km["country"] == 0.0
    (row,) = cor.label_table([lat], [lon], detail=["country_border_km"]).to_pylist()
    assert row["country_border_km"] == 0.0


def test_details_must_be_asked_for():
    chain = cor.label(48.8584, 2.2945)
    for name in ("border_km", "ids", "method"):
        with pytest.raises(ValueError, match=r"label\(\.\.\., detail=True\)"):
            getattr(chain, name)
    assert cor.label(48.8584, 2.2945, detail=True).text() == chain.text()


def test_detail_columns_are_what_one_label_says():
    rng = np.random.default_rng(4)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 60))), rng.uniform(-180, 180, 60)
    lat, lon = np.r_[lat, 48.8584, 91, 44.952], np.r_[lon, 2.2945, 0, 34.102]
    found = cor.label_table(lat, lon, detail=True)
    assert found.column_names[-len(cor.DETAIL) :] == list(cor.DETAIL)
    for row, y, x in zip(found.to_pylist(), lat.tolist(), lon.tolist(), strict=True):
        if row["match"] == "invalid":
            assert all(row[name] is None for name in cor.DETAIL)
            continue
        chain = cor.label(y, x, detail=True)
        for level in ("country", "admin1", "admin2", "city"):
            assert row[f"{level}_id"] == chain.ids.get(level)
            assert row[f"{level}_method"] == chain.method.get(level)
            if level != "city":
                assert row[f"{level}_border_km"] == chain.border_km.get(level)
        claims = [(c["worldview"], c["code"]) for c in row["claims"] or ()]
        assert claims == list(chain.claims)


def test_a_region_without_a_code_has_the_id_of_its_set(tmp_path):
    """Carbonia is in a province that ISO gave up; cantons with names alone are of no code."""
    own = boundaries.build(
        cantons(tmp_path), tmp_path / "set", columns={"country": "CH", "admin1": "NAME"}
    )
    for lat, lon, chosen, ids in (
        (39.167, 8.522, None, {"admin1": "IT-88", "admin2": "IT/Sardinia/Carbonia-Iglesias"}),
        (46.1, 7.1, own, {"admin1": "CH/Zürich", "admin2": None}),
    ):
        chain = cor.label(lat, lon, boundaries=chosen, detail=True)
        (row,) = cor.label_table([lat], [lon], boundaries=chosen, detail=True).to_pylist()
        for level, id_ in ids.items():
            assert chain.ids.get(level) == row[f"{level}_id"] == id_


def test_some_detail_columns_and_unknown_ones(tmp_path):
    some = cor.label_table([48.8584], [2.2945], detail=["city_id", "admin1_border_km"])
    assert some.column_names[-2:] == ["city_id", "admin1_border_km"]
    one = cor.label_table([48.8584], [2.2945], detail="city_id")
    assert one.column_names == [*cor.label_table([1.0], [1.0]).column_names, "city_id"]
    with pytest.raises(ValueError, match="detail 'city' is unknown; choose from"):
        cor.label_table([1.0], [1.0], detail="city")
    with pytest.raises(ValueError, match="detail 'population' is unknown; choose from"):
        cor.label_table([1.0], [1.0], detail=["population"])
    rows = pa.table({"lat": [48.8584], "lon": [2.2945]})
    cor.label_file(rows, tmp_path / "out.parquet", detail=["city_id", "claims"])
    found = files.read_table(tmp_path / "out.parquet")
    assert found["city_id"].to_pylist() == ["2988507"]


def test_names_by_language():
    tokyo = cor.label(35.6595, 139.7005, lang="ja")
    assert (tokyo.country, tokyo.admin1, tokyo.city) == ("日本", "Tokyo", "Tokyo")
    assert tokyo.text().startswith("Country: 日本\n")
    assert tokyo.text(lang="en").startswith("Country: Japan\n")  # names of the set are English
    assert tokyo.text(lang="en-GB") == tokyo.text(lang="en") != tokyo.text()
    english = cor.label(35.6595, 139.7005)
    assert english.text(lang="fr").startswith("Country: Japon\n")
    assert english.text(lang="en").startswith("Country: Japan\n")
    assert english == cor.label(35.6595, 139.7005, lang="en-GB")
    table = cor.label_table([35.6595, 48.8584], [139.7005, 2.2945], lang="de-CH")
    assert table["country"].to_pylist() == ["Japan", "Frankreich"]
    ocean = cor.label(0, -20, lang="ja")
    assert ocean.text(lang="ja") == "Coordinates: (0.000000, -20.000000)"
    for call in (lambda: cor.label(0, 0, lang="tlh"), lambda: english.text(lang="tlh")):
        with pytest.raises(ValueError, match="lang 'tlh' is unknown; choose one of en, af"):
            call()


def test_every_country_has_a_name_in_the_languages_that_are_covered():
    codes = set(boundaries.load().countries["code"].to_pylist())
    rows = boundaries.facts_table("cldr_languages")
    named = {}
    for row in rows:
        named.setdefault(row["language"], set()).add(row["code"])
        assert row["name"].strip() == row["name"] != ""
    assert len(named) == len(cor.languages_covered()) == 87
    assert all(len(codes - have) <= 2 for have in named.values())


def geodata(*arguments, stdin=b""):
    run = [sys.executable, "-m", "geodata", *map(str, arguments)]
    return subprocess.run(run, input=stdin, capture_output=True, check=False)


def test_the_command_takes_a_text_a_language_and_details():
    done = geodata("label", "48.8584,2.2945", "--lang", "ja", "--detail")
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "Country: フランス"
    assert any(line.startswith("admin1: inside, id FR-IDF, ") for line in lines)
    as_json = json.loads(geodata("label", "-33.86,151.2", "--json", "--detail").stdout)
    assert as_json["ids"]["country"] == "AU"
    assert "detail" not in as_json
    assert "detail" not in json.loads(geodata("label", "-33.86", "151.2", "--json").stdout)
    wrong = geodata("label", "139.7,35.6")
    assert (wrong.returncode, b"did you swap" in wrong.stderr) == (2, True)


def test_the_command_reads_and_writes_streams():
    csv = geodata("label", "-", stdin=b"id,lat,lon\n007,48.8584,2.2945\n")
    assert csv.returncode == 0, csv.stderr
    head, row = csv.stdout.decode().splitlines()
    assert head.startswith('"id","lat","lon","country"')
    assert row.startswith('"007","48.8584","2.2945","France","FR"')
    lines = geodata("label", "-", stdin=b'{"lat": 48.8584, "lon": 2.2945, "tags": [1]}\n')
    assert json.loads(lines.stdout)["tags"] == [1]
    assert json.loads(lines.stdout)["city"] == "Paris"
    assert b"1 rows labelled" in lines.stderr
    for nothing in (b"", b" \n\t\n"):
        empty = geodata("label", "-", stdin=nothing)
        assert (empty.returncode, empty.stdout) == (2, b"")
        assert b"standard input is empty" in empty.stderr
    broken = geodata("label", "-", stdin=b"lat,lon\n1,2\n3\n")
    assert (broken.returncode, broken.stdout) == (2, b"")


def test_geojson_comes_in_and_goes_out_by_streams():
    point = {"type": "Point", "coordinates": [2.2945, 48.8584]}
    whole = {"features": [{"type": "Feature", "id": 7, "geometry": point, "properties": None}]}
    for given in (whole | {"type": "FeatureCollection"}, {"type": "FeatureCollection"} | whole):
        done = geodata("label", "-", stdin=json.dumps(given).encode())
        made = json.loads(done.stdout)
        assert (made["type"], made["features"][0]["id"]) == ("FeatureCollection", 7)
        assert made["features"][0]["properties"]["city"] == "Paris"


def test_what_is_wrong_with_a_stream_names_no_file_of_ours():
    for given in (b"a,b\n1,2\n", b'{"a": 1}\n', b'{"type": "FeatureCollection", "features": 3}'):
        wrong = geodata("label", "-", stdin=given)
        assert (wrong.returncode, wrong.stdout) == (2, b"")
        assert b"standard input: " in wrong.stderr
        assert b"geodata-" not in wrong.stderr
        assert wrong.stderr.count(b"\n") == 1


COLLECTION = {
    "type": "FeatureCollection",
    "name": "photos",
    "features": [
        {
            "type": "Feature", "id": 7, "bbox": [1, 2, 3, 4],
            "geometry": {"type": "Point", "coordinates": [2.2945, 48.8584, 33.0]},
            "properties": {"note": {"a": [1]}, "lat": 0, "country": "Narnia"},
        },
        {"type": "Feature", "geometry": None, "properties": None},
        {
            "type": "Feature", "properties": {"note": "text"},
            "geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        },
    ],
}  # fmt: skip


def test_geojson_in_and_out(tmp_path):
    source = tmp_path / "in.geojson"
    source.write_text(json.dumps(COLLECTION), encoding="utf-8")
    report = cor.label_file(source, tmp_path / "out.geojson")
    assert report.matches == {"inside": 1, "nearest": 0, "none": 0, "invalid": 2}
    out = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))
    assert {k: v for k, v in out.items() if k != "features"} == {
        k: v for k, v in COLLECTION.items() if k != "features"
    }
    for before, after in zip(COLLECTION["features"], out["features"], strict=True):
        assert after | {"properties": None} == before | {"properties": None}
    first = out["features"][0]["properties"]
    assert (first["note"], first["lat"], first["country"]) == ({"a": [1]}, 0, "France")
    assert json.loads((tmp_path / "out.geojson.meta.json").read_text())["worldview"] == "un"
    cor.label_file(source, tmp_path / "out.csv")
    table = files.read_table(tmp_path / "out.csv")
    assert table["city"].to_pylist()[0] == "Paris"
    (tmp_path / "in.csv").write_text("id,lat,lon\na,48.8584,2.2945\nb,,\n")
    cor.label_file(tmp_path / "in.csv", tmp_path / "from.geojson")
    points = json.loads((tmp_path / "from.geojson").read_text())["features"]
    assert points[0]["geometry"] == {"type": "Point", "coordinates": [2.2945, 48.8584]}
    assert points[0]["properties"]["id"] == "a"
    assert points[1]["geometry"] is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": [1]}', '{"features": 3}'])
def test_what_is_no_geojson_is_refused(tmp_path, text):
    (tmp_path / "in.geojson").write_text(text)
    with pytest.raises(files.FileError, match=r"in\.geojson"):
        cor.label_file(tmp_path / "in.geojson", tmp_path / "out.geojson")
    assert not (tmp_path / "out.geojson").exists()


def test_parquet_holds_codes_and_readers_get_text(tmp_path):
    rng = np.random.default_rng(1)
    rows = pa.table(
        [rng.uniform(-60, 70, 600_000), rng.uniform(-180, 180, 600_000)],
        schema=pa.schema(
            [pa.field("lat", pa.float64(), metadata={"unit": "degree"}), ("lon", pa.float64())],
            metadata={"camera": "x100"},
        ),
    )
    cor.label_file(rows, tmp_path / "out.parquet")
    schema = pa.parquet.read_schema(tmp_path / "out.parquet")
    assert all(schema.field(n).type == pa.string() for n in ("country", "city", "match"))
    assert schema.field("lat").metadata == {b"unit": b"degree"}
    assert schema.metadata[b"camera"] == b"x100"
    found = pa.parquet.read_table(tmp_path / "out.parquet")
    assert found.equals(cor.label_table(rows))
    chunk = pa.parquet.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0)
    columns = {chunk.column(i).path_in_schema: chunk.column(i) for i in range(chunk.num_columns)}
    assert columns["city"].has_dictionary_page
    assert not columns["lat"].has_dictionary_page
