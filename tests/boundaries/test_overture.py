"""Divisions out of Overture's bucket: a folder with a release, and a real S3 server process."""

import json
from importlib.util import find_spec

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyarrow import fs
from typer.testing import CliRunner

from geodata import boundaries, cor
from geodata.boundaries.exchange import overture
from geodata.cli import app
from geodata.files import FileError
from tests.tables import s3_server

AREAS = "theme=divisions/type=division_area"
NAMES = pa.struct([("primary", pa.string()), ("common", pa.map_(pa.string(), pa.string()))])
LAND = {"CH": (5.9, 45.8, 10.5, 47.8), "LI": (9.47, 47.05, 9.63, 47.27), "NZ": (166, -48, 180, -34)}


def areas(*codes, version="1"):
    """Return a country and one region and town of each, as Overture has them."""
    rows = []
    for code in codes:
        west, south, east, north = LAND[code]
        half = (west, south, (west + east) / 2, north)
        rows += [
            ("country", None, code, (west, south, east, north), [("en", f"Land {code}")]),
            ("region", f"{code}-X", f"Region {code}", half, [("ja", f"地方{code}")]),
            ("locality", f"{code}-X", f"Town {code}", half, [("ja", f"町{code}")]),
        ]
    country = [code for code in codes for _ in range(3)]
    ids = [f"{code}{i}" for code in codes for i in range(3)]
    subtype, region, name, boxes, common = zip(*rows)
    sides = ("xmin", "ymin", "xmax", "ymax")
    return pa.table({
        "id": ids, "subtype": list(subtype), "country": country, "region": list(region),
        "division_id": ids, "is_territorial": [True] * len(ids), "version": [version] * len(ids),
        "names": pa.array(
            [{"primary": n, "common": c} for n, c in zip(name, common, strict=True)], NAMES
        ),
        "bbox": [dict(zip(sides, box, strict=True)) for box in boxes],
        "geometry": [shapely.to_wkb(shapely.box(*box)) for box in boxes],
    })  # fmt: skip


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    for release, parts in {
        "2026-08-20.0": [("CH", "LI")],
        "2026-09-24.0": [("CH", "LI"), ("NZ",)],
        "2026-09-24.0-note": [],
    }.items():
        (folder / release / AREAS).mkdir(parents=True)
        for i, codes in enumerate(parts):
            path = folder / release / AREAS / f"part-{i}.parquet"
            pq.write_table(areas(*codes, version=release), path)
    return folder


def test_the_areas_of_the_countries_asked_for_are_copied(mirror, tmp_path):
    steps = []
    path = boundaries.fetch_overture(
        ["li", "CH", "LI"], tmp_path / "new", source=mirror, progress=lambda *s: steps.append(s)
    )
    assert path == tmp_path / "new" / "overture-2026-09-24.0-LI-CH.parquet"
    found = pq.read_table(path)
    assert found["country"].to_pylist() == ["CH"] * 3 + ["LI"] * 3
    assert "version" not in found.column_names
    assert json.loads(found.schema.metadata[b"geo"])["primary_column"] == "geometry"
    assert steps[-1] == (2, 2)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_release_can_be_named(mirror, tmp_path):
    path = boundaries.fetch_overture(["LI"], tmp_path, source=mirror, release="2026-08-20.0")
    assert path.name == "overture-2026-08-20.0-LI.parquet"
    with pytest.raises(FileError, match=r"no release '1.0'; there are: 2026-08-20.0, 2026-09-24.0"):
        boundaries.fetch_overture(["LI"], tmp_path, source=mirror, release="1.0")


def test_a_set_is_built_of_it(mirror, tmp_path):
    path = boundaries.fetch_overture(["CH", "NZ"], tmp_path, source=mirror)
    made = boundaries.build(path, tmp_path / "set", kind="overture")
    assert boundaries.describe(made.folder).releases == ("2026-09-24.0",)
    chain = cor.label(47.0, 7.0, boundaries=made)
    assert (chain.country, chain.admin1, chain.city) == ("Switzerland", "Region CH", "Town CH")
    for row in (
        cor.label(47.0, 7.0, boundaries=made, lang="ja"),
        cor.label_table([47.0], [7.0], boundaries=made, lang="ja"),
    ):
        admin1, city = (
            (row.admin1, row.city) if not isinstance(row, pa.Table)
            else (row["admin1"][0].as_py(), row["city"][0].as_py())
        )  # fmt: skip
        assert (admin1, city) == ("地方CH", "町CH")


def near(codes, boxes):
    """Tell which boxes are looked at for countries."""
    sides = ("xmin", "ymin", "xmax", "ymax")
    rows = [dict(zip(sides, map(float, box), strict=True)) for box in boxes]
    table = pa.table({"bbox": rows, "at": range(len(boxes))})
    return table.filter(overture._near(codes))["at"].to_pylist()


def test_what_lies_a_degree_around_a_country_is_looked_at():
    table = boundaries.load().table("country", ["code", "bbox"]).to_pylist()
    (box,) = [tuple(row["bbox"].values()) for row in table if row["code"] == "LI"]
    west, south, east, north = box
    middle = (west + east) / 2, (south + north) / 2
    for away, there in ((0.99, True), (1.01, False)):
        beside = [
            (west - away - 1, middle[1], west - away, middle[1]),
            (east + away, middle[1], east + away + 1, middle[1]),
            (middle[0], south - away - 1, middle[0], south - away),
            (middle[0], north + away, middle[0], north + away + 1),
        ]
        assert near(["LI"], beside) == ([0, 1, 2, 3] if there else [])
    assert near(["LI", "NZ"], [box, (170, -45, 171, -44), (0, 0, 1, 1)]) == [0, 1]
    assert near(["RU"], [(34.0, 44.5, 35.0, 45.5)]) == [0]  # claimed: Crimea
    assert near(["UY"], [(34.0, 44.5, 35.0, 45.5)]) == []
    chagos = [(72.3, -7.4, 72.5, -7.2)]
    assert near(["MU"], chagos) == near(["IO"], chagos) == [0]  # claimed, and far off its own land
    assert near(["SC"], chagos) == []


@pytest.mark.parametrize(
    ("codes", "options", "told"),
    [
        (["XX"], {}, "country 'XX' is not in ISO 3166-1"),
        ([], {}, "no country to fetch"),
        (["FJ"], {}, "has no division area of FJ"),
        (["CH"], {"source": "nowhere"}, "nowhere: cannot be read"),
        (["CH"], {"source": "gs://bucket/release"}, r"expected s3://"),
    ],
)
def test_what_is_not_there_is_told_and_leaves_nothing(mirror, tmp_path, codes, options, told):
    with pytest.raises(FileError, match=told) as error:
        boundaries.fetch_overture(codes, tmp_path, **{"source": mirror, **options})
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_command_has_the_same_options(mirror, tmp_path):
    line = ["boundaries", "overture", "LI", "--from", str(mirror)]
    done = CliRunner().invoke(app, [*line, "--release", "2026-08-20.0", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert pq.read_table(tmp_path / "overture-2026-08-20.0-LI.parquet").num_rows == 3


@pytest.mark.skipif(find_spec("moto") is None, reason="moto[server] is not installed")
def test_the_public_bucket_is_read_without_a_key(mirror, tmp_path, monkeypatch):
    here = boundaries.fetch_overture(["LI", "CH"], tmp_path / "folder", source=mirror)
    with s3_server.server("overturemaps-us-west-2") as endpoint:
        host = endpoint.removeprefix("http://")
        owner = fs.S3FileSystem(
            access_key="key", secret_key="secret", endpoint_override=host, scheme="http"
        )
        for path in mirror.rglob("*.parquet"):
            address = f"overturemaps-us-west-2/release/{path.relative_to(mirror)}"
            with owner.open_output_stream(address) as to:
                to.write(path.read_bytes())
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(key, raising=False)
        there = boundaries.fetch_overture(["LI", "CH"], tmp_path / "bucket")
    assert there.name == here.name
    assert pq.read_table(there).equals(pq.read_table(here))
