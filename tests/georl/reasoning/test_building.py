"""The table of a reasoning set: its version, its lineage, its columns, from two photos."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files, tables
from georl import reasoning
from georl.reasoning import prompt
from georl.reasoning.rows import SET

from . import world
from .world import PhotoServer


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
