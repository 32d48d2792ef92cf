"""Step a alone, over real connections: what is asked, kept, given up, and in which order."""

import hashlib
import json
from concurrent.futures import Future

import pytest

from georl import rewards
from georl.config import ConfigError
from georl.reasoning import asking, photos, prompt
from georl.reasoning.calls import Calls
from georl.reasoning.rows import answer

from . import world
from .world import PhotoServer


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("georl.endpoints.LONGEST_PAUSE_S", 0.01)


def asked(tmp_path, one, two, *more):
    """Ask both servers about the photos that are there; return the rows."""
    patient = [f"models.{name}.timeout_s=30" for name in "ab"]
    config = world.config(tmp_path, {"a": one.url, "b": two.url}, *patient, *more)
    with Calls(tmp_path / "run") as calls:
        return [row for batch in asking.ask(config, calls) for row in batch]


def test_a_row_holds_all_that_each_model_said(tmp_path, capsys):
    world.photos(tmp_path, 1)
    with PhotoServer("a", {0: {"score": 0.75}}) as one, PhotoServer("b") as two:
        (row,) = asked(tmp_path, one, two)
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"photos are sent to http://127.0.0.1:{server.http.server_port} (without key) as models.{n}"
        for n, server in (("a", one), ("b", two))
    ]
    thought = (
        "A yellow tram passes tiled houses under overhead wires, number 0, which points to Lisbon. "
        "Model {} looked twice."
    )
    assert row["answers"] == [
        {"by": by, "problem": None, "detail": None, "localizability": score,
         "reasoning": thought.format(by), "country": "Portugal", "city": "Lisbon",
         "evidence": ["yellow tram"]} for by, score in (("a", 0.75), ("b", 0.9))
    ]  # fmt: skip
    assert row["kept"]
    assert row["localizability"] == pytest.approx(0.825)
    assert row["reasoning"] == thought.format("a")


def test_the_first_token_is_asked_for_by_a_question_of_its_own(tmp_path):
    world.photos(tmp_path, 1)
    with PhotoServer("a") as one, PhotoServer("b") as two:
        (row,) = asked(tmp_path, one, two, "models.a.localizability=first_token")
    answered, judged = one.requests
    assert answered.text == prompt.QUESTION
    assert "logprobs" not in answered.body
    assert judged.text == prompt.CAN_BE_LOCATED
    assert {k: judged.body[k] for k in ("max_tokens", "logprobs", "top_logprobs")} == {
        "max_tokens": 1, "logprobs": True, "top_logprobs": rewards.TOP,
    }  # fmt: skip
    assert judged.image == answered.image
    assert row["answers"][0]["localizability"] == pytest.approx(0.75)  # 0.6 yes, 0.2 no


def test_an_answer_is_kept_under_the_hash_of_what_was_asked(tmp_path):
    """A folder of answers is worth money: under another name all photos would be asked again."""
    world.photos(tmp_path, 1)
    options = ["question=Where?", "photos.max_pixels=1000", "models.a.seed=7",
               "models.a.temperature=0.5", "models.a.max_tokens=99"]  # fmt: skip
    with PhotoServer("a") as one, PhotoServer("b") as two:
        asked(tmp_path, one, two, *options)

    def name(*parts):
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    lines = (tmp_path / "run" / "calls.jsonl").read_text().splitlines()
    kept = {one["reply"]["model"]: one for one in map(json.loads, lines)}
    photo = hashlib.sha256((tmp_path / "0.png").read_bytes()).hexdigest()
    kind = name("Where?", "model-a", 0.5, 99, 7, 1000)
    assert kept["model-a"]["kind"] == kind
    assert kept["model-a"]["key"] == name(photo, kind)


def test_failures_are_given_up_when_they_are_so_many_in_a_row(tmp_path):
    world.photos(tmp_path, 6)
    options = ["give_up=2", "models.a.retries=0", "models.a.timeout_s=30"]
    with PhotoServer("a", always={0: 500, 2: 500, 4: 500, 5: 500}) as one:
        config = world.config(tmp_path, {"a": one.url, "b": one.url}, *options)
        with Calls(tmp_path / "run") as calls:
            model = asking.Model("a", config, calls)
            about = [model.about(photos.show(f"{i}.png", config.photos)) for i in range(5)]
            with pytest.raises(ConfigError, match=r"^models.a: 2 requests in a row came to nothi"):
                model.about(photos.show("5.png", config.photos))
    assert [row["problem"] for row in about] == ["request_failed", None] * 2 + ["request_failed"]
    assert about[0]["detail"].startswith("HTTP 500")


def test_a_photo_that_no_model_answers_has_no_reasoning(tmp_path):
    world.photos(tmp_path, 1)
    with PhotoServer("a", always={0: 500}) as one, PhotoServer("b", always={0: 500}) as two:
        (row,) = asked(tmp_path, one, two, "models.a.retries=0", "models.b.retries=0")
    assert (row["reason"], row["model"], row["reasoning"]) == ("request_failed", "a", None)
    assert (row["localizability"], row["entities"]) == (None, [])
    assert row["answers"][1] == answer("b", "request_failed", row["answers"][1]["detail"])


def test_no_more_photos_are_under_way_than_asked_for():
    """So many are waiting when the first comes back, and so many stay so."""
    begun = []

    class Pool:
        def submit(self, _, row, *rest):
            begun.append(row["id"])
            done = Future()
            done.set_result(row)
            return done

    made = asking._in_order(Pool(), [{"id": i} for i in range(9)], [], None, 4)
    assert (next(made)["id"], begun) == (0, [0, 1, 2, 3])
    assert (next(made)["id"], len(begun)) == (1, 5)
    assert [row["id"] for row in made] == [2, 3, 4, 5, 6, 7, 8]


def test_photos_that_cannot_be_shown_are_dropped_and_nobody_is_asked(tmp_path):
    world.photos(tmp_path, 4, rows={1: {"image": "nowhere.png"}, 2: {"lat": ""}})
    (tmp_path / "3.png").write_bytes(b"<html>")
    with PhotoServer("a") as one, PhotoServer("b") as two:
        rows = asked(tmp_path, one, two)
        assert one.numbers == two.numbers == [0]
    assert [row["reason"] if not row["kept"] else None for row in rows] == [
        None, "image_missing", "no_coordinates", "image_unreadable"
    ]  # fmt: skip
    assert {row["step"] for row in rows[1:]} == {"ask"}
    assert "nowhere.png" in rows[1]["detail"]
    assert "cannot identify image" in rows[3]["detail"]
    assert rows[3]["answers"] == []


def test_what_is_under_way_ends_with_the_run(tmp_path):
    """One server refuses: the other is not asked about the photos that were waiting."""
    world.photos(tmp_path, 40)
    with PhotoServer("a", faults=[401] * 99) as one, PhotoServer("b") as two:
        two.delay_s = 0.05
        with pytest.raises(ConfigError, match="refuses every photo: HTTP 401"):
            asked(tmp_path, one, two, "models.b.concurrency=1")
        before = len(two.requests)
        assert before < 10
        lines = (tmp_path / "run" / "calls.jsonl").read_text().splitlines()
        assert len(lines) == before  # what was under way is paid for, and kept


def test_nobody_is_tried_again_once_the_run_has_ended(tmp_path):
    world.photos(tmp_path, 2)
    with PhotoServer("a", faults=[401]) as one, PhotoServer("b", faults=[500] * 999) as two:
        two.delay_s = 0.02
        with pytest.raises(ConfigError, match="refuses every photo: HTTP 401"):
            asked(tmp_path, one, two, "models.b.retries=300", "models.a.concurrency=1")
        assert len(two.requests) < 60
