"""``geodata label``: what is a point and what a file, what is told of a place, what is refused."""

import json

import pytest
from typer.testing import CliRunner

from geodata.cli import app, labelling
from geodata.cor import RegionChain
from geodata.cor.chain import Detail


def invoked(*words):
    return CliRunner().invoke(app, ["label", *map(str, words)])


def run(*words, code=0):
    done = invoked(*words)
    assert done.exit_code == code, (done.output, done.exception)
    return done


@pytest.mark.parametrize(
    ("what", "point"),
    [
        (["48.85", "-2.3"], (48.85, -2.3)), ([".5", "1e1"], (0.5, 10.0)),
        (["48.85,2.3"], ("48.85,2.3",)), ([" 48.85 ; 2.3 "], (" 48.85 ; 2.3 ",)),
        (["48.85,", "2.3"], ("48.85, 2.3",)), (["a.csv"], None), (["48.85"], None),
        (["1", "2", "3"], None), (["1", "b"], None), (["a", "2"], None), (["1,b"], None),
        (["1,2,3"], None),
    ],
)  # fmt: skip
def test_a_point_is_two_numbers(what, point):
    assert labelling._point(what) == point


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-x", "1"], "there is no option -x; geodata label --help"),
        (["--lan", "ja", "1", "2"], "there is no option --lan;"),
        (["48"], "got the one number 48; give both, lat first"),
        (["a.csv", "b.csv"], "expected LAT LON or one file, got 'a.csv b.csv'"),
        (["a.csv"], "say where to write: geodata label a.csv -o labelled.parquet"),
        (["a.csv", "-o", "s3://b/c.csv"], "s3://b/c.csv is an address, and label writes a file"),
        (["a.csv", "--shard", "1/2"], "say where to write"),
        (["-", "--shard", "1/2"], "--shard reads a file and writes to a folder"),
        (["-", "--shard", "1/2", "-o", "x"], "--shard reads a file and writes to a folder"),
        (["a.csv", "--shard", "1/2", "-o", "-"], "--shard reads a file and writes to a folder"),
        (["-", "--engine", "ray"], "--engine ray reads a file and writes to a folder"),
        (["a.csv", "--engine", "ray", "-o", "-"], "--engine ray reads a file and writes to a fol"),
        (["a.csv", "-o", "x", "--engine", "spark"], "--engine 'spark' is unknown; expected one of"),
        (["a.csv", "-o", "x", "--address", "auto"], "give --engine ray too"),
        (["1", "2", "--shard", "1/2"], "expected LAT LON or one file, got '1 2'"),
    ],
)  # fmt: skip
def test_what_cannot_be_labelled(words, message):
    done = invoked(*words)
    assert isinstance(done.exception, ValueError)
    assert message in str(done.exception)


def test_negative_numbers_are_no_options():
    assert run("-33.86", "151.21").output.startswith("Country: Australia\n")
    assert run("-.5", "-.5").exit_code == 0


def chain(**changed):
    usual = {
        "lat": 1.5, "lon": 2.5, "country": "Chad", "country_code": "TD", "admin1": "Lac",
        "admin1_code": "TD-LC", "admin2": None, "city": "Bol", "city_distance_km": 12.34,
        "match": "inside", "offset_km": 0.0, "disputed": False, "claims": (),
    }  # fmt: skip
    return RegionChain(**usual | changed)


def last(**changed):
    return labelling._described(chain(**changed)).splitlines()[-1]


def test_a_place_is_described_in_a_line_below_its_answer():
    told = labelling._described(chain())
    assert told == f"{chain().text()}\n{last()}"
    assert last() == "Match: inside; 12.3 km from the centre of Bol; codes TD, TD-LC"
    assert last(city=None, admin1_code=None) == "Match: inside; codes TD"
    nearest = last(match="nearest", offset_km=3.26, city=None)
    assert nearest == "Match: nearest; 3.3 km off the border; codes TD, TD-LC"
    assert last(match="none", city=None, country_code=None, admin1_code=None) == "Match: none"
    assert last(city=None, disputed=True).endswith("TD-LC; disputed")
    claims = (("in", "IN"), ("cn", "CN"))
    assert last(city=None, disputed=True, claims=claims).endswith(
        "; disputed (IN in worldview in, CN in worldview cn)"
    )
    assert "disputed" not in last(claims=claims)


def test_detail_is_a_line_for_each_level():
    told = run("48.8584", "2.2945", "--detail").output.splitlines()
    assert [line.partition(":")[0] for line in told[-4:]] == ["country", "admin1", "admin2", "city"]
    assert " km from the nearest border" in told[-4]
    cells = json.loads(run("48.8584", "2.2945", "--detail", "--json").output)
    assert cells["country"] == "France"
    assert "detail" not in cells
    plain = json.loads(run("48.8584", "2.2945", "--json").output)
    assert set(plain) < set(cells)


def test_a_level_says_how_it_was_decided():
    detail = Detail(method={"country": "polygon", "city": "population"}, ids={"country": "R1"},
                    border_km={"country": 4.56})  # fmt: skip
    one = chain(detail=detail)
    assert labelling._level(one, "country") == "polygon, id R1, 4.6 km from the nearest border"
    assert labelling._level(one, "city") == "population, id none"
    assert labelling._described(one).splitlines() == [
        *labelling._described(chain()).splitlines(),
        "country: polygon, id R1, 4.6 km from the nearest border", "city: population, id none",
    ]  # fmt: skip


def test_a_language_reaches_the_label():
    assert "フランス" in run("48.8584", "2.2945", "--lang", "ja", "--json").output


def test_a_file_is_told_where_its_rows_are_not_printed(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat,lon,country\na,48.85,2.29,x\nb,,,y\nc,30,-40,z\n")
    done = run(tmp_path / "a.csv", "-o", tmp_path / "b.csv")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{tmp_path / 'b.csv'}: 3 rows labelled (1 inside, 1 none, 1 invalid)"
    assert lines[1].startswith("boundaries ")
    assert lines[1].endswith(", worldview un, dependencies own")
    assert done.stderr == "warning: labels replaced what the file had as country\n"
    printed = run(tmp_path / "a.csv", "-o", "-")
    assert printed.stdout.startswith('"id"')
    assert "-: 3 rows labelled" in printed.stderr
    assert "boundaries " in printed.stderr
    (tmp_path / "none.csv").write_text("id,lat,lon\n")
    assert (
        "0 rows labelled (no rows)" in run(tmp_path / "none.csv", "-o", tmp_path / "c.csv").stdout
    )


def test_a_file_without_a_single_place_ends_with_1(tmp_path):
    (tmp_path / "a.csv").write_text("id,north,east\na,120,40\nb,139,35\n")
    told = run(tmp_path / "a.csv", "-o", tmp_path / "b.csv", "--lat", "north", "--lon", "east",
               code=1).stderr  # fmt: skip
    assert told.startswith("geodata: error: no row of a.csv has a place in its columns north and "
                           "east; expected decimal degrees; ")  # fmt: skip
    (tmp_path / "a.csv").write_text("id,lat,lon\na,x,y\n")
    told = run(tmp_path / "a.csv", "-o", tmp_path / "b.csv", code=1).stderr
    assert told.rstrip().endswith("lat and lon; expected decimal degrees")


def test_swapped_columns_are_a_warning(tmp_path):
    rows = "".join(f"{i},{120 + i},35\n" for i in range(5))
    (tmp_path / "a.csv").write_text(f"id,lat,lon\n{rows}x,35,120\n")
    done = run(tmp_path / "a.csv", "-o", tmp_path / "b.csv")
    assert done.stderr.startswith("warning: 5 of 6 ")
    assert "error" not in done.stderr


def test_a_shard_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat,lon\na,48.85,2.29\nb,35.7,139.7\n")
    for was in ("written", "was there already"):
        told = run(tmp_path / "a.csv", "-o", tmp_path / "out", "--shard", "1/2").output
        assert told.rstrip().endswith(f": shard 1/2, 1 rows, {was}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("48.85 2.29 -o a.csv", "--out a.csv is for a file of coordinates, and one point is print"),
        ("48.85,2.29 -o a.csv", "--out a.csv is for a file of coordinates, and one point is print"),
        ("b.csv -o parts --shard 1/2 --engine ray", "--shard labels one part here, and --engine"),
    ],
)  # fmt: skip
def test_an_option_that_would_do_nothing_is_refused(tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").write_text("id,lat,lon\na,48.85,2.29\n")
    done = invoked(*words.split())
    assert isinstance(done.exception, ValueError)
    assert str(done.exception).startswith(told)
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]


def test_a_point_may_go_to_standard_output_by_name():
    assert run("48.85", "2.29", "-o", "-").stdout == run("48.85", "2.29").stdout
