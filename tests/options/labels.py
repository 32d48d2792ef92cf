"""Options of answers, labels, boundaries, places and names."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from geodata import answers, boundaries, coords, cor, gazetteer, places
from geodata.boundaries import Borders, building
from geodata.boundaries.building.reading import Axes
from geodata.boundaries.building.region_rows import Origin
from tests.boundaries.sets import cantons, frame, square, whosonfirst
from tests.options.finding import differs, seen_by
from tests.options.world import KYOTO, PARIS, World, said

TAIPEI, ST_DENIS = (25.04, 121.56), (-20.88, 55.45)
SEA = (48.0, -6.5)
"""Off Brittany, more than 10 km from the shore."""

# ---- answers

differs(
    "answers.question",
    lambda w, **o: answers.question(**o),
    variant=("location", lambda t: "Country:" in t, lambda t: "Country:" not in t),
    levels=(["country"], lambda t: "City" in t, lambda t: "City" not in t and "Country:" in t),
)
differs(
    "answers.render",
    lambda w, **o: answers.render("France", None, None, 48.85841, 2.29456, **o),
    decimals=(2, lambda t: "(48.858410, 2.294560)" in t, lambda t: "(48.86, 2.29)" in t),
    round_degrees=(0.5, lambda t: "(48.858410," in t, lambda t: "(49.000000, 2.500000)" in t),
)

# ---- labels


differs(
    "cor.label",
    lambda w, **o: cor.label(**{"lat": 48.8, **o} if o else {"lat": "35.0, 135.77"}).country_code,
    lon=(2.3, "JP", "FR"),
)
differs(
    "cor.label",
    lambda w, **o: cor.label(*TAIPEI, **o).country_code,
    worldview=("cn", "TW", "CN"),
)
differs(
    "cor.label",
    lambda w, **o: cor.label(*ST_DENIS, **o).country_code,
    dependencies=("sovereign", "RE", "FR"),
)
differs(
    "cor.label",
    lambda w, **o: cor.label(*SEA, **o).country_code,
    max_offset_km=(500.0, None, "FR"),
)
differs(
    "cor.label",
    lambda w, **o: cor.label(*KYOTO, **o).country,
    lang=("fr", "Japan", "Japon"),
)
differs(
    "cor.label",
    lambda w, **o: cor.label(*PARIS, **o).detail is None,
    detail=(True, True, False),
)


def own_set(w: World):
    """A set of one canton, where the bundled one has Geneva's neighbours."""
    source = cantons(w.folder)
    made = boundaries.build(source, w.folder / "own", columns={"country": "CH", "admin1": "NAME"})
    return made.folder


IN_BERN = (46.1, 7.3)
differs(
    "cor.label",
    lambda w, **o: cor.label(*IN_BERN, **o).admin1,
    boundaries=(own_set, "Valais", "Bern"),
)


def of_table(*place):
    lat, lon = pa.array([place[0]]), pa.array([place[1]])
    return lambda w, **o: cor.label_table(lat, lon, **o).to_pylist()[0]


def of_file(*place):
    def call(w: World, **options):
        source = w.parquet(lat=[place[0]], lon=[place[1]], y=[KYOTO[0]], x=[KYOTO[1]])
        cor.label_file(source, w.folder / "out.jsonl", **options)
        return (w.folder / "out.jsonl").read_text(encoding="utf-8")

    return call


def has(column, value):
    return lambda found: (
        found[column] == value
        if isinstance(found, dict)
        else f'"{column}": {"null" if value is None else chr(34) + value + chr(34)}' in found
    )


for name, call in (("label_table", of_table), ("label_file", of_file)):
    code = "country_code"
    differs(f"cor.{name}", call(*TAIPEI), worldview=("cn", has(code, "TW"), has(code, "CN")))
    differs(
        f"cor.{name}",
        call(*ST_DENIS),
        dependencies=("sovereign", has(code, "RE"), has(code, "FR")),
    )
    differs(f"cor.{name}", call(*SEA), max_offset_km=(500.0, has(code, None), has(code, "FR")))
    differs(
        f"cor.{name}", call(*KYOTO), lang=("fr", has("country", "Japan"), has("country", "Japon"))
    )
    differs(
        f"cor.{name}",
        call(*IN_BERN),
        boundaries=(own_set, has("admin1", "Valais"), has("admin1", "Bern")),
    )
    differs(
        f"cor.{name}",
        call(*PARIS),
        detail=(["city_id"], lambda f: "city_id" not in f, lambda f: "city_id" in f),
    )
differs(
    "cor.label_table",
    lambda w, **o: (
        cor.label_table([35.0], **o) if o else cor.label_table({"lat": [48.8], "lon": [2.3]})
    )["country_code"].to_pylist(),
    lon_array=([135.77], ["FR"], ["JP"]),
)
differs(
    "cor.label_table",
    lambda w, lat="lat", lon="lon": cor.label_table(
        pa.table({"lat": [48.8], "lon": [2.3], "y": [45.76], "x": [8.0]}), lat=lat, lon=lon
    )["admin1"].to_pylist(),
    lat=("y", ["Île-de-France"], ["Nouvelle-Aquitaine"]),
    lon=("x", ["Île-de-France"], ["Grand Est"]),
)
for name in ("label_file", "label_file_with"):

    def columns_of_file(w: World, name=name, lat="lat", lon="lon"):
        source = w.parquet(lat=[48.8], lon=[2.3], y=[45.76], x=[8.0])
        target = w.folder / "out.jsonl"
        if name == "label_file":
            cor.label_file(source, target, lat=lat, lon=lon)
        else:
            cor.label_file_with(engine(), source, target, lat=lat, lon=lon)
        return target.read_text(encoding="utf-8")

    differs(
        f"cor.{name}",
        columns_of_file,
        lat=("y", has("admin1", "Île-de-France"), has("admin1", "Nouvelle-Aquitaine")),
        lon=("x", has("admin1", "Île-de-France"), has("admin1", "Grand Est")),
    )


def engine(lang=None):
    return cor.labeller(None, "un", "own", 10.0, lang)


def told(function):
    """What a progress callback is given: nothing without one, the rows in the end with one."""

    def call(w: World, progress=None):
        steps = []
        function(w, **({"progress": lambda *step: steps.append(step)} if progress else {}))
        return steps

    return call


differs(
    "cor.label_file",
    told(lambda w, **o: cor.label_file(w.parquet(lat=[1.0], lon=[2.0]), w.folder / "o.csv", **o)),
    progress=(True, [], lambda steps: steps[-1][0] == 1),
)
differs(
    "cor.label_file_with",
    told(
        lambda w, **o: cor.label_file_with(
            engine(), w.parquet(lat=[1.0], lon=[2.0]), w.folder / "o.csv", **o
        )
    ),
    progress=(True, [], lambda steps: steps[-1][0] == 1),
)


def with_detail(w: World, **options):
    cor.label_file_with(engine(), w.parquet(lat=[48.8], lon=[2.3]), w.folder / "o.csv", **options)
    return (w.folder / "o.csv").read_text(encoding="utf-8").partition("\n")[0]


differs(
    "cor.label_file_with",
    with_detail,
    detail=(["city_id"], lambda f: "city_id" not in f, lambda f: "city_id" in f),
)
differs(
    "cor.labeller", lambda w, **o: engine(**o).one(*KYOTO).country, lang=("fr", "Japan", "Japon")
)
differs(
    "cor.Labeller.one",
    lambda w, **o: engine().one(*PARIS, **o).detail is None,
    detail=(True, True, False),
)
differs(
    "cor.Labeller.table",
    lambda w, **o: engine().table(coords.arrays([48.8], [2.3]), **o).schema,
    detail=(
        ["city_id"],
        lambda s: "city_id" not in s.names,
        lambda s: "city_id" in s.names,
    ),
    coded=(
        True,
        lambda s: not pa.types.is_dictionary(s.field("country").type),
        lambda s: pa.types.is_dictionary(s.field("country").type),
    ),
)
differs(
    "cor.RegionChain.text",
    lambda w, **o: cor.label(*KYOTO).text(**o),
    lang=("fr", lambda t: "Country: Japan" in t, lambda t: "Country: Japon" in t),
)
differs(
    "coords.arrays",
    lambda w, **o: coords.arrays([0.0], [190.0], **o).lon.tolist(),
    wrap=(False, [-170.0], [190.0]),
)

# ---- boundaries

BORDERS = np.array([shapely.box(1, 0, 2, 1), shapely.box(3, 0, 4, 1)])


def borders():
    return Borders(BORDERS, np.array([7, 8]))


differs(
    "boundaries.Borders.nearest",
    lambda w, **o: Borders(BORDERS).nearest(np.array([0.5]), np.array([0.0]), **o)[0].tolist(),
    max_km=(10.0, [0], [-1]),
)
GROUPS = np.array([7, 8])
differs(
    "boundaries.Borders.nearest",
    lambda w, **o: (
        Borders(BORDERS, GROUPS).nearest(np.array([0.5]), np.array([0.0]), **o)[0].tolist()
    ),
    group=(np.array([8]), [-1], [1]),
)
seen_by(
    "boundaries/test_nearest.py::test_one_point_gets_the_numbers_of_many_bit_for_bit",
    "boundaries.Borders.nearest_one:group,max_km",
)
differs(
    "boundaries.Borders.within",
    lambda w, **o: sorted(borders().within(np.array([0.5]), np.array([0.0]), **o).region.tolist()),
    group=(np.array([8]), [0], [1]),
    slack_km=(400.0, [0], [0, 1]),
    max_km=(10.0, [0], []),
)
differs(
    "boundaries.BoundarySet.table",
    lambda w, **o: boundaries.load().table("country", **o).column_names,
    columns=(["code", "geometry"], lambda n: "geometry" not in n, ["code", "geometry"]),
)
differs(
    "boundaries.BoundarySet.locate",
    lambda w, **o: bool(
        (boundaries.load().locate(np.array([SEA[0]]), np.array([SEA[1]]), **o).country >= 0)[0]
    ),
    max_offset_km=(500.0, False, True),
)


def built(w: World, *, columns=None, **options):
    columns = columns or {"country": "CH", "admin1": "NAME"}
    return boundaries.build(cantons(w.folder), w.folder / "own", columns=columns, **options)


def provenance(w: World, **options):
    return (built(w, **options).folder / "PROVENANCE.json").read_text(encoding="utf-8")


differs(
    "boundaries.build",
    provenance,
    release=("2026-x", lambda t: "2026-x" not in t, lambda t: "2026-x" in t),
    licence=("CC-X", lambda t: "CC-X" not in t, lambda t: "CC-X" in t),
)
differs(
    "boundaries.build",
    lambda w, **o: (
        said(boundaries.export, built(w, **o).folder, w.folder / "out.zip") == "FileError"
    ),
    shareable=(True, True, False),
)
differs(
    "boundaries.build",
    lambda w, **o: said(
        lambda: boundaries.build(cantons(w.folder), w.folder / "own", **o).units["name"].to_pylist()
    ),
    columns=({"country": "CH", "admin1": "NAME"}, "FileError", ["Bern", "Zürich"]),
)
seen_by(
    "boundaries/test_building.py::test_progress_goes_up_to_the_end", "boundaries.build:progress"
)
seen_by(
    "boundaries/test_building.py::test_swapped_axes_and_a_missing_system_can_be_said",
    "boundaries.build:crs,swap_axes",
)


def swiss(w: World):
    return whosonfirst(w.folder), w.folder / "swiss"


differs(
    "boundaries.build",
    lambda w, **o: said(lambda: boundaries.build(*swiss(w), **o).levels[-1]),
    kind=("whosonfirst", "FileError", "neighbourhood"),
)
differs(
    "boundaries.describe",
    lambda w, **o: boundaries.describe(**o).regions["country"] > 240,
    name=(own_set, True, False),
)
differs(
    "boundaries.find",
    lambda w, **o: boundaries.find(**o).name,
    name=(own_set, "bundled", "own"),
)
differs(
    "boundaries.load",
    lambda w, **o: boundaries.load(**o).countries.num_rows,
    name=(own_set, lambda n: n > 240, 1),
)
differs(
    "boundaries.open_set",
    lambda w, **o: boundaries.open_set(own_set(w), **o).name,
    name=("mine", "own", "mine"),
)


def moved(w: World, **options):
    made = []
    for name, width in (("old", 1.0), ("new", 1.5)):
        path = w.folder / f"{name}.parquet"
        frame([square(0, 0, width)], NAME=["A"]).to_parquet(path)
        columns = {"country": "CH", "admin1": "NAME"}
        made.append(boundaries.build(path, w.folder / name, columns=columns).folder)
    return [name for name, _ in boundaries.diff(*made, **options)["admin1"].moved]


differs("boundaries.diff", moved, moved_share=(0.9, ["A (CH)"], []))
differs(
    "boundaries.known_sets",
    lambda w, **o: "mine" in boundaries.known_sets(**o),
    registry=(
        lambda w: w.file(
            "known.csv", f"name,url,sha256,licence\nmine,https://example.org/a.zip,{'0' * 64},X\n"
        ),
        False,
        True,
    ),
)
seen_by(
    "boundaries/test_exchange.py::test_a_failed_fetch_leaves_the_set_that_was_there",
    "boundaries.fetch:registry,again",
)
seen_by(
    "boundaries/test_exchange.py::test_nothing_unverified_is_ever_used",
    "boundaries.fetch:timeout_s",
)
seen_by(
    "boundaries/test_overture.py::test_a_release_can_be_named",
    "boundaries.fetch_overture:release,source",
)
seen_by(
    "boundaries/test_overture.py::test_the_areas_of_the_countries_asked_for_are_copied",
    "boundaries.fetch_overture:progress",
)
seen_by(
    "boundaries/test_exchange.py::test_fetch_brings_the_set_that_was_exported",
    "boundaries.fetch:progress",
)
differs(
    "boundaries.sovereign",
    lambda w, **o: (found := boundaries.sovereign("SJ", **o)) and found.admin1_code,
    feature=("Q14056", lambda code: code != "NO-22", "NO-22"),
)
differs(
    "boundaries.building.compile_set",
    lambda w, **o: building.compile_set(own_set(w), **o).stat().st_size,
    edges_per_strip=(0.25, lambda size: size > 0, lambda size: size > 0),
)


def reading(w: World, **options):
    path = w.folder / "read.geojson"
    frame([square(0, 0)], shapeName=["A"], shapeGroup=["CHE"], shapeType=["ADM1"]).to_file(path)
    return building.read(building.provider("geoboundaries"), [path], **options).tables.units


differs(
    "boundaries.building.read",
    lambda w, **o: reading(w, **o)["source"].to_pylist(),
    origin=(Origin("mine", "7", "CC0"), ["geoboundaries"], ["mine"]),
)


def steps_of_reading(w: World, **options):
    told = []
    reading(w, **{name: lambda *step: told.append(step) for name in options})
    return told


differs(
    "boundaries.building.read",
    steps_of_reading,
    progress=(True, [], lambda told: len(told) > 0 and told == sorted(told)),
)
seen_by(
    "boundary_build/test_small_world.py::"
    "test_the_same_sources_give_the_same_bytes_in_a_folder_that_is_there",
    "boundary_build.build_bundled:folder",
    "boundary_build.build_bundled:gazette",
)

# ---- places and names

seen_by(
    "places/test_places.py::test_scalar_is_the_array_bit_for_bit", "places.Places.nearest:max_km"
)
seen_by("places/test_places.py::test_metropolis_village_and_division", "places.Places.one:max_km")
seen_by(
    "places/test_divisions.py::test_the_city_fits_the_division_of_the_point",
    "places.Places.nearest:inside",
    "places.Places.one:inside",
)
differs(
    "gazetteer.resolve",
    lambda w, **o: (found := gazetteer.resolve("Bern", **o)) and found.code,
    level=("admin1", None, "CH-BE"),
)
differs(
    "gazetteer.resolve",
    lambda w, **o: (found := gazetteer.resolve("Punjab", "admin1", **o)) and found.code,
    country=("PK", "IN-PB", "PK-PB"),
)
differs(
    "gazetteer.resolve_many",
    lambda w, **o: [found and found.code for found in gazetteer.resolve_many(["Bern"], **o)],
    level=("admin1", [None], ["CH-BE"]),
)
differs(
    "gazetteer.resolve_many",
    lambda w, **o: [
        found and found.code for found in gazetteer.resolve_many(["Punjab"], "admin1", **o)
    ],
    country=(["PK"], ["IN-PB"], ["PK-PB"]),
)


def where(place):
    return None if place is None else (round(place.lat), round(place.lon))


differs(
    "gazetteer.geocode",
    lambda w, query=None, **o: where(
        gazetteer.geocode(query) if query else gazetteer.geocode(**{"city": "Paris", **o})
    ),
    query=("Kyoto, Japan", (49, 2), (35, 136)),
    country=("US", (49, 2), (34, -96)),
    admin1=("Texas", (49, 2), (34, -96)),
    city=("Lyon", (49, 2), (46, 5)),
)
differs(
    "gazetteer.places",
    lambda w, **o: gazetteer.places(**{"city": ["Paris"], **o})["name"].to_pylist(),
    city=(["Lyon"], ["Paris"], ["Lyon"]),
)
differs(
    "gazetteer.places",
    lambda w, **o: gazetteer.places(**{"city": ["Paris"], **o})["code"].to_pylist(),
    country=(["USA"], ["FR"], ["US"]),
    admin1=(["Texas"], ["FR"], ["US"]),
)
differs(
    "gazetteer.codes",
    lambda w, **o: gazetteer.codes(**{"country": ["France"], **o}).to_pylist()[0],
    country=(
        ["USA"],
        lambda row: row["country_code"] == "FR",
        lambda row: row["country_code"] == "US",
    ),
    admin1=(
        ["Bretagne"],
        lambda row: row.get("admin1_code") is None,
        lambda row: row["admin1_code"] == "FR-BRE",
    ),
    city=(["Lyon"], lambda row: row.get("city") is None, lambda row: row["city"] == "Lyon"),
)


def turned(w: World, **options):
    path = w.folder / "turned.geojson"
    shape = shapely.transform(square(0, 0), lambda xy: xy[:, ::-1])
    frame([shape], shapeName=["A"], shapeGroup=["CHE"], shapeType=["ADM1"]).to_file(path)
    found = building.read(building.provider("geoboundaries"), [path], **options).tables.units
    return shapely.from_wkb(found["geometry"][0].as_py()).bounds[0]


differs(
    "boundaries.building.read",
    lambda w, **o: said(turned, w, **o),
    axes=(Axes(swapped=True), lambda west: west != 7.0, 7.0),
)


def damaged_places(w: World, **options):
    """Open the bundled file after one bit of its arrays was turned."""
    bundled = Path(places.__file__).parents[1] / "boundaries" / "bundled" / "places.bin"
    content = bytearray(bundled.read_bytes())
    content[-1] ^= 1
    path = w.file("turned.bin", bytes(content))
    return said(lambda: type(places.Places.load(path, **options)).__name__)


differs("places.Places.load", damaged_places, verify=(True, "Places", "FileError"))


def few_places(w: World):
    path = w.folder / "places.bin"
    path.write_bytes(b"no places")
    return path


differs(
    "places.Places.load",
    lambda w, **o: said(lambda: len(places.Places.load(**o)) > 200_000),
    path=(few_places, True, "FileError"),
)
