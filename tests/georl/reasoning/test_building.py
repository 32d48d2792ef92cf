"""The table of a reasoning set: its version, its lineage, its columns, from two photos."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import files, tables
from georl import reasoning
from georl.reasoning import prompt
from georl.reasoning.rows import SET

from . import world
from .world import JsonServer, PhotoServer


@pytest.fixture
def servers():
    with PhotoServer("a", {1: {"score": 0.1}}) as one, PhotoServer("b") as two:
        yield one, two


def config_of(tmp_path, servers, *more):
    world.photos(tmp_path, 2)
    seen = {"id": ["p0"], "entities": [["tram"]]}
    pq.write_table(pa.table(seen), tmp_path / "seen.parquet")
    given = [f"verify.file={tmp_path / 'seen.parquet'}", f"table={tmp_path / 'new' / 'lake' / 'r'}"]
    given += [f"models.{name}.timeout_s=30" for name in "ab"]
    return world.config(tmp_path, dict(zip("ab", (s.url for s in servers), strict=True)),
                        *given, *more)  # fmt: skip


def test_a_set_is_built_once_and_again_where_its_settings_change(tmp_path, servers, capsys):
    config = config_of(tmp_path, servers)
    built = reasoning.build(config)
    table = tmp_path / "new" / "lake" / "r"
    assert built == reasoning.Built(table, 0, 2, 1, built.card)
    assert "verify: 1 of 2 photos are left" in capsys.readouterr().out
    assert reasoning.build(config) == built
    assert capsys.readouterr().out == ""  # no step was run again
    other = reasoning.build(config_of(tmp_path, servers, "agree.min_similarity=0.3"))
    assert (other.version, other.kept) == (1, 1)
    said = capsys.readouterr().out
    assert "agree: 1 of 2" in said
    assert "truth: " not in said
    assert [len(server.requests) for server in servers] == [2, 2]


def test_the_lineage_says_what_was_asked_by_whom_and_what_was_left(tmp_path, servers):
    built = reasoning.build(config_of(tmp_path, servers))
    opened = tables.open(built.table)
    note = opened.note
    assert note["question"] == prompt.QUESTION
    assert note["models_served"] == {"a": "model-a", "b": "model-b"}
    assert note["measures"] == [
        "reasonings are compared by their words, not by their meaning",
        "what reasonings name is looked for in verify.file",
    ]
    assert note["report"] == {"kept": {"rows": 1}, "filter": {"low_localizability": 1}}
    assert note["rows_sha256"] == files.sha256(tmp_path / "run" / "5-verify.parquet")
    assert note["recipe"] == "reason"
    assert list(note["inputs"]) == ["photos", "visible"]
    assert [(field.name, field.type) for field in opened.schema] == [
        (field.name, field.type) for field in SET
    ]


def test_a_question_of_one_s_own_stands_in_the_lineage(tmp_path, servers):
    config = config_of(tmp_path, servers, "question=Where?")
    note = tables.open(reasoning.build(config).table).note
    assert note["question"] == "Where?"
    assert note["models_served"] == {"a": "model-a", "b": "model-b"}


def test_what_failed_is_tried_again_and_the_rest_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("georl.endpoints.LONGEST_PAUSE_S", 0.01)
    with PhotoServer("a", always={0: 500}) as one, PhotoServer("b") as two:
        first = reasoning.build(config_of(tmp_path, (one, two)))
        one.always.clear()
        second = reasoning.build(config_of(tmp_path, (one, two)))
        assert [two.numbers.count(i) for i in range(2)] == [1, 1]
    assert (first.version, first.kept, second.version, second.kept) == (0, 0, 1, 1)


def test_a_step_is_run_again_where_a_file_beside_it_changed(tmp_path, servers):
    """Of the same name and with the same settings: what it holds is what counts."""
    beside = tmp_path / "geoclip.csv"
    beside.write_text("id,lat,lon\np0,38.7,-9.1\n")
    config = config_of(tmp_path, servers, f"truth.predictor={beside}", "truth.predictor_km=100")
    assert (reasoning.build(config).version, reasoning.build(config).kept) == (0, 1)
    beside.write_text("id,lat,lon\np0,0,0\n")
    far = reasoning.build(config)
    assert (far.version, far.kept) == (1, 0)
    assert tables.open(far.table).note["report"]["truth"] == {"predictor_elsewhere": 1}
    beside.write_text("id,lat,lon\np0,38.7,-9.1\n")
    assert reasoning.build(config).kept == 1
    pq.write_table(pa.table({"id": ["p0"], "entities": [["sea"]]}), tmp_path / "seen.parquet")
    unseen = reasoning.build(config)
    assert (unseen.version, unseen.kept) == (3, 0)
    assert tables.open(unseen.table).note["report"]["verify"] == {"not_visible": 1}


def test_rows_of_another_version_of_the_program_are_a_version_of_their_own(
    tmp_path, servers, monkeypatch
):
    """The same rows; but the note of a table says what wrote it."""
    config = config_of(tmp_path, servers)
    assert reasoning.build(config).version == 0
    monkeypatch.setattr(tables, "software", lambda: {"georl": "another"})
    assert [reasoning.build(config).version for _ in range(2)] == [1, 1]


def test_photos_of_another_folder_are_other_photos(tmp_path, servers):
    config_of(tmp_path, servers)
    (tmp_path / "else").mkdir()
    for i in range(2):
        Image.new("RGB", (28, 28), world.colour(i + 6)).save(tmp_path / "else" / f"{i}.png")
    first = reasoning.build(config_of(tmp_path, servers))
    other = reasoning.build(
        config_of(tmp_path, servers, f"photos.image_root={tmp_path / 'else'}", "give_up=9")
    )
    assert (first.version, other.version) == (0, 1)
    assert sorted(servers[0].numbers) == [0, 1, 6, 7]


@pytest.mark.parametrize("server_first", [False, True])
def test_a_server_that_comes_or_goes_is_another_way_to_compare(tmp_path, servers, server_first):
    """Where a server is does not matter; whether one is asked does."""
    servers[1].answers[0] = {"thought": "A yellow tram climbs a steep street of Lisbon."}
    alike = {"data": [{"embedding": [1.0, 0.0]}]}
    with JsonServer(lambda _: alike) as vectors:
        given = ["agree.model=minilm", "agree.min_similarity=0.99"]
        asked = config_of(tmp_path, servers, *given, f"agree.url={vectors.url}")
        words = config_of(tmp_path, servers, *given)
        told = {True: "reasonings are sent", False: "reasonings are compared by their words"}
        for version, has in enumerate((server_first, not server_first)):
            built = reasoning.build(asked if has else words)
            assert built.version == version
            note = tables.open(built.table).note
            assert note["measures"][0].startswith(told[has])
            assert built.kept == has  # in other words the same, says the server
            row = tables.open(built.table).arrow().to_pylist()[0]
            assert (row["similarity"] == 1.0) == has


def test_a_detector_that_is_named_later_looks_at_rows_that_nobody_checked(tmp_path, servers):
    world.photos(tmp_path, 2)
    urls = dict(zip("ab", (server.url for server in servers), strict=True))
    with JsonServer(lambda _: []) as eyes:
        built = reasoning.build(world.config(tmp_path, urls, "verify.model=owl"))
        assert built.kept == 1
        given = ["verify.model=owl", f"verify.url={eyes.url}"]
        looked = reasoning.build(world.config(tmp_path, urls, *given))
        assert (looked.version, looked.kept, len(eyes.requests)) == (1, 0, 1)
        with JsonServer(lambda _: []) as other:  # the same one at another address
            moved = world.config(tmp_path, urls, given[0], f"verify.url={other.url}")
            assert reasoning.build(moved).version == 1
            assert other.requests == []
