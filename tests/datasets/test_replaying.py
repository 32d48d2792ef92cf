"""Building, replaying and auditing: what is refused, what is noted, what is left as it was."""

import math
import tempfile
from pathlib import Path

import h3
import pyarrow as pa
import pytest

from geodata import datasets, tables
from geodata.datasets import audits
from tests.datasets.small_lake import rows

# replays


def test_a_replay_that_differs_is_not_written(lake):
    datasets.build("rand", lake, n=5)
    opened = tables.open(lake / "rand")
    code = {**opened.note["code"], "numpy": "1.0"}
    tables.write(lake / "rand", opened.arrow().slice(1), note={**opened.note, "code": code})
    recorded = tables.open(lake / "rand")
    with pytest.raises(datasets.DatasetError, match=r"numpy was 1\.0 and is") as caught:
        datasets.rebuild(lake, "rand", write=True)
    assert str(caught.value).startswith(
        f"rand@1: the replay has content hash {opened.content_hash[:12]}, recorded is "
        f"{recorded.content_hash[:12]}; "
    )
    assert tables.open(lake / "rand").version == 1
    assert tables.open(lake / "rand").content_hash == recorded.content_hash
    tables.write(lake / "rand", opened.arrow().slice(2), note=dict(opened.note))
    with pytest.raises(datasets.DatasetError, match="; software and boundaries are of the same v"):
        datasets.rebuild(lake, "rand")


def test_what_labelled_the_rows_is_part_of_what_differs(lake):
    datasets.build("labelled", lake, "named", source="labelled")
    opened = tables.open(lake / "named")
    report = opened.note["report"]
    changed = {**report, "made_by": {**report["made_by"], "boundaries_sha256": "0" * 64}}
    tables.write(lake / "named", opened.arrow().slice(1), note={**opened.note, "report": changed})
    with pytest.raises(datasets.DatasetError, match=r"boundaries_sha256 was 0{64} and is"):
        datasets.rebuild(lake, "named")


def test_a_version_is_replayed_by_number_and_tag(lake):
    first = datasets.build("rand", lake, n=5)
    datasets.build("rand", lake, n=6)
    tables.tag(lake / "rand", "paper", 0)
    for version in (0, "0", "paper"):
        again = datasets.rebuild(lake, "rand", version)
        assert (again.name, again.version, again.rows) == ("rand", 0, 5)
        assert (again.content_hash, again.report) == (first.content_hash, first.report)
        assert again.audits == ()
    written = datasets.rebuild(lake, "rand", 0, write=True)
    assert (written.version, written.content_hash) == (2, first.content_hash)
    assert tables.open(lake / "rand").note == tables.open(lake / "rand", 0).note
    assert tables.open(lake / "rand").rows == 5


def test_a_seed_that_is_not_given_is_0(lake):
    built = datasets.build("rand", lake, n=5)
    assert tables.open(lake / "rand").note["seed"] == 0
    assert datasets.build("rand", lake, n=5, seed=0).content_hash == built.content_hash
    assert datasets.build("rand", lake, n=5, seed=1).content_hash != built.content_hash


def test_only_a_replay_that_writes_may_find_files_gone(lake):
    datasets.build("rand", lake, n=5)
    tables.open(lake / "rand").files[0].unlink()
    with pytest.raises(tables.TableChangedError):
        datasets.rebuild(lake, "rand")
    assert datasets.rebuild(lake, "rand", write=True).version == 1


@pytest.mark.parametrize("verb", [datasets.rebuild, datasets.audit])
def test_a_table_that_no_recipe_made_is_not_replayed(lake, verb):
    with pytest.raises(datasets.DatasetError, match="labelled@0 was not built by a recipe, so"):
        verb(lake, "labelled")


def test_an_earlier_note_of_a_function_without_its_hash_is_another(lake):
    def mine(rows, *, least=0.0):
        return rows.filter(pa.compute.greater(rows["lat"], least))

    datasets.register(mine)
    built = datasets.build("mine", lake, source="labelled", least=2.0)
    note = tables.open(lake / "mine").note
    tables.write(lake / "mine", tables.open(lake / "mine").arrow(), note={**note, "function": {}})
    with pytest.raises(datasets.DatasetError, match="the dataset was built with None; register"):
        datasets.rebuild(lake, "mine")
    del note["function"]  # a release before it was noted
    tables.write(lake / "mine", tables.open(lake / "mine", 0).arrow(), note=note)
    assert datasets.rebuild(lake, "mine").content_hash == built.content_hash


# what is written where


def test_a_table_that_a_recipe_made_once_and_a_person_later_is_kept(lake):
    datasets.build("rand", lake, n=5)
    datasets.build("rand", lake, n=6)
    tables.write(lake / "rand", rows(2))
    with pytest.raises(datasets.DatasetError, match="the table 'rand' was not built by a recipe"):
        datasets.build("rand", lake, n=7)
    assert tables.open(lake / "rand").version == 2


def test_no_input_may_be_what_is_written(lake):
    tables.write(lake / "popular", pa.table({"lat": [50.0], "lon": [2.0]}))
    datasets.build("hard", lake)
    with pytest.raises(datasets.DatasetError, match=r"built from itself \(hard@0\); choose anoth"):
        datasets.build("hard", lake, inputs={"popular": "hard"})


def test_what_was_built_says_whether_an_audit_found_a_row(lake):
    audit = audits.Audit("a", 0, rows(0))
    made = datasets.Built("x", 0, "00", 1, {}, (audit, audits.Audit("b", 1, rows(1))))
    assert not made.ok
    assert datasets.Built("x", 0, "00", 1, {}, (audit, audit)).ok
    assert datasets.Built("x", 0, "00", 1, {}).ok


# audits


def audited(lake, recipe, table, inputs, parameters=None):
    """Write rows as if a recipe had made them, and audit them."""
    references = {role: tables.open(lake / name).reference() for role, name in inputs.items()}
    note = {"recipe": recipe, "parameters": parameters or {}, "seed": 0, "inputs": references,
            "report": {}}  # fmt: skip
    tables.write(lake / "made", table, note=note)
    return {a.name: (a.offending, a.rows.num_rows) for a in datasets.audit(lake, "made")}


RAW = {"rows": "labelled"}


def test_which_audits_apply(lake):
    table = rows(3, country_code=["FR", None, "FR"])
    ids, places = "dataset_duplicate_ids", "dataset_bad_coordinates"
    assert set(audited(lake, "filter", table, RAW)) == {ids}
    for recipe in ("rand", "popular", "split"):
        wide = table.append_column("split", [["train"] * 3])
        assert {ids, places} <= set(audited(lake, recipe, wide, RAW))
    assert set(audited(lake, "rand", table.drop_columns("lat"), RAW)) == {ids}
    assert set(audited(lake, "rand", table.drop_columns("photo_id"), RAW)) == {places}
    assert set(audited(lake, "split", pa.table({"split": ["train"]}), RAW)) == set()
    beside, by = RAW | {"benchmark": "labelled"}, {"by": ["coordinate"]}
    excluded = "exclude-benchmark", table, beside, by
    assert set(audited(lake, *excluded)) == {ids, "dataset_leaked_rows"}
    assert audited(lake, excluded[0], table.drop_columns("photo_id"), beside, by) == {}


def test_rows_that_repeat_are_counted_all_and_shown_up_to_a_hundred(lake):
    twice = pa.concat_tables([rows(60), rows(60)])
    assert audited(lake, "filter", twice, RAW) == {"dataset_duplicate_ids": (120, 100)}
    assert audited(lake, "filter", rows(60), RAW) == {"dataset_duplicate_ids": (0, 0)}


def test_a_split_is_audited_without_photographers_and_cells(lake):
    """What is not there leaks nothing: NULL is nobody."""
    table = rows(4, split=["train", "test", "train", "test"])
    leaks = "dataset_split_leaks"
    assert audited(lake, "split", table, RAW)[leaks] == (0, 0)
    author = table.append_column("author", [["x", "x", "y", None]])
    assert audited(lake, "split", author, RAW)[leaks] == (2, 2)
    cells = table.append_column("h3_5", [[7, 8, 9, 9]])
    assert audited(lake, "split", cells, RAW)[leaks] == (2, 2)


def test_a_hard_set_is_audited_at_its_radius(lake):
    tables.write(lake / "popular", pa.table({"lat": [0.0, 60.0], "lon": [2.0, 100.0]}))
    cells = [h3.str_to_int(h3.latlng_to_cell(float(i), 2.0, 5)) for i in range(8)]
    named = rows(8, h3_5=cells)
    inputs = {"rows": "labelled", "popular": "popular"}
    near = "dataset_near_popular"
    for radius, count in ((50, 1), (150, 2), (400, 4)):
        found = audited(lake, "hard", named, inputs, {"radius_km": radius})
        assert found[near] == (count, count)
    for gone in ("h3_5", "lat"):
        assert near not in audited(lake, "hard", named.drop_columns(gone), inputs, {"radius_km": 9})


@pytest.mark.parametrize("radius", [50, 150, 200, 400])
def test_a_hard_set_is_audited_to_its_edge(lake, radius):
    """A kilometre within and beyond, in cells that are neither wholly near nor wholly far."""
    tables.write(lake / "popular", pa.table({"lat": [0.0, 60.0], "lon": [2.0, 100.0]}))
    lat = [sign * (radius + off) / 6371.0 * 180 / math.pi for off in (-1, 1) for sign in (1, -1)]
    cells = [h3.str_to_int(h3.latlng_to_cell(y, 2.0, 5)) for y in lat]
    edge = rows(4, h3_5=cells).set_column(1, "lat", pa.array(lat))
    inputs = {"rows": "labelled", "popular": "popular"}
    found = audited(lake, "hard", edge, inputs, {"radius_km": radius})
    assert found["dataset_near_popular"] == (2, 2)


@pytest.mark.parametrize(
    ("by", "leaked"),
    [
        (["photo_id"], 1), (["author"], 2), (["coordinate"], 2), (["radius"], 0),
        (["photo_id", "author", "coordinate"], 4),
    ],
)  # fmt: skip
def test_a_test_set_is_audited_by_the_rules_of_the_build(lake, by, leaked):
    bench = pa.table({"photo_id": ["p0", "x", "y"], "author": ["other", "a", None],
                      "lat": [70.0, 80.0, 3.0], "lon": [2.0, 2.0, 2.0]})  # fmt: skip
    tables.write(lake / "bench", bench)
    author = ["b", "a", "a", None, "c", "c", "c", "c"]
    table = rows(8, author=author).set_column(
        1, "lat", pa.array([0.0, 1.0, 2.0, 3.0, 3.0, 5.0, 6.0, 7.0])
    )
    inputs = {"rows": "labelled", "benchmark": "bench"}
    expected = {"dataset_duplicate_ids": (0, 0), "dataset_leaked_rows": (leaked, leaked)}
    if by == ["photo_id", "author", "coordinate"]:
        expected["dataset_leaked_rows"] = (5, 5)  # p0; p1, p2; p3, p4
    assert audited(lake, "exclude-benchmark", table, inputs, {"by": by}) == expected
    thin = table.drop_columns("lon")
    assert set(audited(lake, "exclude-benchmark", thin, inputs, {"by": by})) == {
        "dataset_duplicate_ids"
    }


def test_a_test_set_without_a_column_of_a_rule_is_audited_by_the_others(lake):
    tables.write(lake / "bench", pa.table({"photo_id": ["p0"], "lat": [9.0], "lon": [9.0]}))
    inputs = {"rows": "labelled", "benchmark": "bench"}
    found = audited(lake, "exclude-benchmark", rows(), inputs, {"by": ["photo_id", "author"]})
    assert found["dataset_leaked_rows"] == (1, 1)


def test_places_written_as_text_are_no_reason_to_fail(lake):
    """A recipe reads numbers in text; the audits in SQL leave such columns alone."""
    cells = [h3.str_to_int(h3.latlng_to_cell(float(i), 2.0, 5)) for i in range(8)]
    named = rows(8, h3_5=cells, split=["train"] * 8)
    text = named.set_column(1, "lat", pa.array([str(i) for i in range(8)]))
    tables.write(lake / "popular", pa.table({"lat": [0.0], "lon": [2.0]}))
    tables.write(lake / "bench", text.select(["photo_id", "lat", "lon"]).slice(0, 1))
    only_ids = {"dataset_duplicate_ids": (0, 0)}
    assert audited(lake, "rand", text, RAW) == only_ids
    assert audited(lake, "split", text, RAW) == only_ids
    places = {"rows": "labelled", "popular": "popular"}
    assert audited(lake, "hard", text, places, {"radius_km": 9}) == only_ids
    cells_as_text = named.set_column(3, "h3_5", pa.array([str(c) for c in cells]))
    assert "dataset_near_popular" not in audited(
        lake, "hard", cells_as_text, places, {"radius_km": 9}
    )
    inputs = {"rows": "labelled", "benchmark": "bench"}
    for table, found in ((text, None), (named, (1, 1))):
        made = audited(lake, "exclude-benchmark", table, inputs, {"by": ["photo_id", "coordinate"]})
        assert made.get("dataset_leaked_rows") == found
    tables.write(lake / "words", text)
    assert datasets.build("rand", lake, source="words", n=3).rows == 3


def test_what_audits_spill_lies_in_a_folder_of_ours(lake, monkeypatch):
    made, real = [], tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *a, **o: made.append(real(*a, **o)) or made[-1])
    assert audited(lake, "filter", rows(2), RAW) == {"dataset_duplicate_ids": (0, 0)}
    assert made
    assert all(Path(folder).name.startswith("geodata-") for folder in made)
    assert not any(Path(folder).exists() for folder in made)
