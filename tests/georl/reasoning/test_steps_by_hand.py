"""Steps of a reasoning set on rows made by hand: verdicts, bounds and words (georl.reasoning)."""

import hashlib
import io
import json
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import sphere
from georl import reasoning
from georl.config import AgreeConfig, ConfigError, ReasonPhotos, load_reason
from georl.http import BadReply
from georl.reasoning import (
    asking,
    building,
    estimating,
    judging,
    photos,
    predictor,
    prompt,
    rows as row_parts,
    seeing,
    similarity,
    stepping,
)
from georl.reasoning.calls import Calls, Spent, key_of
from georl.reasoning.judging import Spot

LISBON, PORTO = Spot("PT", "Lisbon", 38.7167, -9.1333), Spot("PT", "Porto", 41.1496, -8.6110)
LISBON_PORTO_KM = float(sphere.haversine_km(38.7167, -9.1333, 41.1496, -8.6110))


def config(*more):
    served = [f"models.{name}.{key}" for name in "ab"
              for key in ("url=http://h:8000/v1", f"model=m-{name}")]  # fmt: skip
    return load_reason(None, [*served, *more])


def said(by="a", **more):
    return row_parts.answer(by, country="Portugal", city="Lisbon", localizability=0.9,
                            reasoning="Yellow trams on steep streets.") | more  # fmt: skip


def row(*answers, **more):
    given = [said("a"), said("b")] if not answers else list(answers)
    return {"id": "x", "lat": 38.7167, "lon": -9.1333, "kept": True, "step": None, "reason": None,
            "detail": None, "answers": given, "model": "a", "entities": []} | more  # fmt: skip


def verdict(found):
    return (found["step"], found["reason"], found["detail"]) if not found["kept"] else None


# ---- step b


@pytest.mark.parametrize(
    ("scores", "least", "found"),
    [
        ((0.9, 0.5), 0.5, None), ((0.9, 0.49), 0.5, ("low_localizability", "b: 0.49")),
        ((0.2, 0.1), 0.5, ("low_localizability", "b: 0.1")), ((0.0, 0.9), 0.5, ("not_localizable",
                                                                              "a")),
        ((0.0, 0.0), 0.0, None), ((None, 0.9), 0.0, ("no_localizability", "a")),
        ((0.9, None), 0.5, ("no_localizability", "b")), ((0.3, 0.3), 0.5, ("low_localizability",
                                                                        "a: 0.3")),
    ],
)  # fmt: skip
def test_the_least_score_of_all_models_counts(scores, least, found):
    one = row(*(said(by, localizability=score) for by, score in zip("ab", scores, strict=True)))
    (made,) = judging.locatable([one], config(f"filter.min_localizability={least}"))
    assert verdict(made) == (None if found is None else ("filter", *found))


# ---- step c


def contradicts(one, spot, real=LISBON, near=False, need_city=True):
    return judging._contradicts(one, spot, real, near, need_city)


def test_what_contradicts_the_truth():
    nothing = Spot(None, None, None, None)
    full, country = said(), said(city=None)
    land = Spot("PT", None, None, None)
    assert contradicts(full, LISBON) is None
    assert contradicts(full, PORTO) == "wrong_city"
    assert contradicts(full, PORTO, near=True) is None
    assert contradicts(full, Spot("ES", "Lisbon", 1.0, 1.0)) == "wrong_country"
    assert contradicts(full, Spot("ES", "Lisbon", 1.0, 1.0), near=True) is None
    assert contradicts(full, nothing) == "unknown_place"
    assert contradicts(full, land) == "unknown_place"  # a city that is none
    assert contradicts(full, Spot(None, None, 1.0, 1.0)) == "unknown_place"
    assert contradicts(full, Spot("PT", None, 1.0, 1.0)) == "wrong_city"
    assert contradicts(full, Spot("PT", None, 1.0, 1.0), Spot("PT", None, 1.0, 1.0)) == "wrong_city"
    for none in (None, ""):
        assert contradicts(said(country=none), LISBON, near=True) == "no_place"
    assert contradicts(country, land) == "no_city"
    assert contradicts(country, land, need_city=False) is None
    assert contradicts(country, nothing, need_city=False) == "unknown_place"
    assert contradicts(country, Spot("ES", None, None, None), near=True, need_city=False) == (
        "wrong_country"
    )


def test_the_first_answer_that_contradicts_is_told_with_its_distance():
    km = sphere.haversine_km(41.1496, -8.6110, 38.7167, -9.1333)
    found = judging.true(
        [row(said("a"), said("b", city="Porto")),
         row(said("a", city="Porto"), said("b"), model="b"),
         row(said("a", country="Spain", city=None), said("b"))], config(), None,
    )  # fmt: skip
    assert [one["reason"] for one in found] == ["wrong_city", "wrong_city", "no_city"]
    assert found[0]["detail"] == f"b: Porto, Portugal, {km:.0f} km away"
    assert found[1]["detail"] == f"a: Porto, Portugal, {km:.0f} km away"
    assert found[2]["detail"].startswith("a: Spain, ")  # from the point of the country
    assert found[0]["distance_km"] < 5
    assert found[1]["distance_km"] < 5  # that of the answer which is kept
    assert found[2]["distance_km"] > 400
    long = judging.true([row(said(city="x" * 300), said("b"))], config(), None)
    assert long[0]["detail"].startswith(f"a: {'x' * 200}, ")
    assert judging.true([row()], config(), None)[0]["kept"]
    nowhere = judging.true([row(said(city="Xyzzyville"), said("b"))], config(), None)
    assert verdict(nowhere[0])[1] == "unknown_place"


def test_a_place_that_is_near_enough_is_right_whatever_its_name():
    porto = row(said("a", city="Porto"), said("b", city="Porto"))
    (found,) = judging.true([porto], config(), None)
    assert found["reason"] == "wrong_city"
    km = found["distance_km"]
    assert judging.true([porto], config(f"truth.near_km={km}"), None)[0]["kept"]
    assert not judging.true([porto], config(f"truth.near_km={km - 1e-6}"), None)[0]["kept"]


def predictions(tmp_path, columns, *more):
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    return predictor.Predictor(config(f"truth.predictor={tmp_path / 'p.parquet'}", *more))


def test_a_predictor_that_is_sure_and_far_away_drops_a_row(tmp_path):
    columns = {"id": ["x", "y", "z", "w"], "lat_pred": [41.1496, 41.1496, None, 0.0],
               "lon_pred": [-8.6110, -8.6110, 1.0, 0.0],
               "conf": [0.5, 0.49, 0.9, None]}  # fmt: skip
    km = float(sphere.haversine_km(41.1496, -8.6110, 38.7167, -9.1333))
    sure = ["truth.predictor_confidence=0.5"]

    def judge(name, *more, **changed):
        made = predictions(tmp_path, columns, *sure, *more)
        return verdict(made.judged(row(id=name) | changed))

    assert judge("x", "truth.predictor_km=200") == (
        "truth", "predictor_elsewhere", f"{km:.0f} km away"
    )  # fmt: skip
    assert judge("x", f"truth.predictor_km={km}") is None
    assert judge("x", f"truth.predictor_km={km - 0.001}") is not None
    for name in "yzwv":
        assert judge(name, "truth.predictor_km=1") is None
    assert judge("x", "truth.predictor_km=1", kept=False, step="ask", reason="r") == (
        "ask", "r", None
    )  # fmt: skip
    plain = {"lat": [38.7] * 4, "lon": [-9.1] * 4}  # what is predicted counts, not what is beside
    both = predictions(tmp_path, columns | plain, *sure, "truth.predictor_km=100")
    assert verdict(both.judged(row())) is not None
    columns.pop("conf")
    with pytest.raises(ConfigError) as caught:
        predictions(tmp_path, columns, *sure)
    where = tmp_path / "p.parquet"
    assert str(caught.value) == (
        f"truth.predictor {where} has no column 'confidence'; it has id, lat_pred, lon_pred"
    )
    assert verdict(predictions(tmp_path, columns, "truth.predictor_km=1").judged(row())) is not None
    columns.pop("id")
    with pytest.raises(ConfigError, match=r"has no column 'id'; it has lat_pred, lon_pred$"):
        predictions(tmp_path, columns)


def test_predictions_are_found_by_any_spelling_of_their_columns(tmp_path):
    columns = {"Photo ID": ["x", "y", "z"], "lat": [38.7] * 3, "lon": [-9.1] * 3,
               "Pred_Lat": [41.1496] * 3, "Pred_Lon": [-8.6110] * 3,
               "Confidence": [0.1, None, 0.0]}  # fmt: skip
    made = predictions(tmp_path, columns, "truth.predictor_km=100", "truth.predictor_confidence=0")
    assert [verdict(made.judged(row(id=name))) is not None for name in "xyz"] == [
        True, False, True  # one that says nothing is sure of nothing
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"found no latitude column") as caught:
        predictions(tmp_path, {"id": ["x"], "lon": [1.0]})
    assert str(tmp_path / "p.parquet") in str(caught.value)


def test_predictions_of_several_parts_are_all_read(tmp_path):
    (tmp_path / "parts").mkdir()
    for name in "xy":
        part = pa.table({"id": [name], "lat": [41.1496], "lon": [-8.6110]})
        pq.write_table(part, tmp_path / "parts" / f"{name}.parquet")
    made = predictor.Predictor(config(f"truth.predictor={tmp_path / 'parts'}",
                                      "truth.predictor_km=1"))  # fmt: skip
    assert all(verdict(made.judged(row(id=name))) is not None for name in "xy")


# ---- step d


@pytest.mark.parametrize(
    ("one", "other", "km", "found"),
    [
        (LISBON, LISBON, 0.0, None), (LISBON, PORTO, 273.0, "other_city"),
        (LISBON, PORTO, 275.0, None), (LISBON, PORTO._replace(country="ES"), 275.0, None),
        (LISBON, PORTO._replace(country="ES"), 1.0, "other_country"),
        (Spot("PT", "A", None, None), Spot("PT", "A", None, None), 1.0, None),
        (Spot("PT", None, None, None), Spot("PT", None, None, None), 1.0, None),
        (Spot("PT", "A", None, None), Spot("PT", None, None, None), 1.0, "other_city"),
        (Spot("PT", None, None, None), Spot("PT", "A", None, None), 1.0, "other_city"),
        (Spot("PT", "A", 1.0, 1.0), Spot("ES", "A", None, None), 9e9, "other_country"),
        (Spot("PT", "A", None, None), Spot("ES", "A", 1.0, 1.0), 9e9, "other_country"),
        (LISBON, PORTO, LISBON_PORTO_KM, None), (LISBON, PORTO, LISBON_PORTO_KM - 1e-6,
                                                 "other_city"),
    ],
)  # fmt: skip
def test_two_answers_are_of_one_place_or_are_not(one, other, km, found):
    assert judging._disagree(one, other, km) == found


def test_models_agree_on_place_and_words(tmp_path):
    rows = [
        row(),
        row(said("a"), said("b", city="Porto")),
        row(said("a"), said("b"), said("c", country="Spain", city="Madrid")),
        row(said("a"), said("b", reasoning="Cherry blossoms.")),
        row(said("a"), said("b", reasoning="Yellow trams on steep streets. Cherry blossoms.")),
    ]
    with Calls(tmp_path) as calls:
        measure = similarity.Similarity(AgreeConfig(), calls)
        found = judging.agreed(rows, config("agree.min_similarity=0.5"), measure)
        near = judging.agreed(rows[4:], config("agree.min_similarity=0.9"), measure)
    assert [verdict(one) for one in found] == [
        None,
        ("agree", "other_city", "a: Lisbon, Portugal; b: Porto, Portugal"),
        ("agree", "other_country", "a: Lisbon, Portugal; b: Lisbon, Portugal; c: Madrid, Spain"),
        ("agree", "unlike_reasoning", "0.000"),
        None,
    ]
    alike = 4 / (4 * 6) ** 0.5
    assert found[0]["similarity"] == 1.0
    assert found[3]["similarity"] == 0.0
    assert found[4]["similarity"] == pytest.approx(alike)
    assert "similarity" not in found[1]
    assert verdict(near[0]) == ("agree", "unlike_reasoning", f"{alike:.3f}")
    assert verdict(judging._aligned(row(), None, config())) == ("agree", "no_similarity", None)
    assert judging._aligned(row(), 0.2, config())["kept"]  # at the bound, of words
    assert not judging._aligned(row(), 0.2, config("agree.url=http://h"))["kept"]
    many = row(*(said(f"{i}" * 100) for i in range(9)))
    assert len(judging._named(many)) == 300


def test_words_that_are_alike():
    words = similarity.by_words
    assert words("tram", "trams") == 1.0
    assert words("TRÀM", "tram") == 1.0
    assert words("the old cat", "the old cat") == 0.0  # words of three letters
    assert words("tram2", "tram") == 1.0  # letters alone
    assert words("tram bus1 trams", "tram") == 1.0
    assert words("house tree", "house wall") == pytest.approx(0.5)
    assert words("电车在", "电车") == pytest.approx(1 / 2**0.5)  # pairs of signs: 电车, 车在
    assert words("a" * 8000 + " tram", "tram") == 0.0
    assert words(" " * 7996 + "tram", "tram") == 1.0
    assert words(" " * 7997 + "tram", "tram") == 0.0  # of which three letters are looked at
    assert words("steep steep hill", "hill") == pytest.approx(1 / 5**0.5)
    assert words("hill", "steep steep hill") == pytest.approx(1 / 5**0.5)
    assert words("", "") == 0.0
    assert similarity._least([[1.0, 0.0], [0.6, 0.8], [1.0, 0.0]]) == 0.6
    assert similarity._least([[1.0, 0.0], [-1.1, 0.0]]) == -1.0
    assert similarity._least([[1.0, 0.0], None]) is None
    assert similarity._least([[1.0, 0.0], [1.0, 0.0], None]) is None  # of one it is not known
    assert similarity._least([[1.0, 0.0], [1.0]]) is None
    with pytest.raises(BadReply, match=r"^the reply has no data\[0\]\.embedding that is a vector$"):
        similarity._embedding({"data": [{"embedding": [[1.0]]}]})
    for bad in (None, {}, {"data": []}, {"data": [{"embedding": [float("inf")]}]},
                {"data": [{"embedding": []}]}, {"data": [{"embedding": 3}]}):  # fmt: skip
        with pytest.raises(BadReply):
            similarity._embedding(bad)
    assert similarity._embedding({"data": [{"embedding": [3, 4]}]}) == [0.6, 0.8]
    assert similarity._embedding({"data": [{"embedding": [1, 2]}]}) == [0.4472136, 0.8944272]


def test_how_reasonings_are_compared_is_told(tmp_path):
    with Calls(tmp_path) as calls:
        assert similarity.Similarity(AgreeConfig(), calls).told() == (
            "reasonings are compared by their words, not by their meaning\n"
            "  (agree.url names a server of sentence embeddings)"
        )
        assert similarity.Similarity(AgreeConfig(url="http://h/v1"), calls).told() == (
            "reasonings are sent to http://h (without key) for embeddings"
        )
        witness = seeing.Witness(config(), calls)
        assert witness.told() == (
            "nobody checks that what reasonings name is visible: verify keeps every row\n"
            "  (verify.url names a detector, verify.file a table of what is visible)"
        )
        assert witness.judged([row()]) == [row()]
        server = seeing.Witness(config("verify.url=http://h/v1"), calls)
        assert server.told() == (
            "photos are sent to http://h (without key) to look for what reasonings name"
        )


# ---- step e


def witness_of(tmp_path, calls, seen, *more):
    pq.write_table(pa.table(seen), tmp_path / "seen.parquet")
    return seeing.Witness(config(f"verify.file={tmp_path / 'seen.parquet'}", *more), calls)


def test_what_is_named_must_be_seen(tmp_path):
    seen = {"photo_id": ["x", "y", None], "entities": [["red tram", "sea"], None, ["car"]]}
    named = ["tram", "car", "sea", "church"]
    with Calls(tmp_path / "calls") as calls:
        half = witness_of(tmp_path, calls, seen, "verify.min_share=0.5")
        assert half.told() == "what reasonings name is looked for in verify.file"
        found = half.judged([row(entities=named), row(id="y", entities=["a"]), row(id="z",
                            entities=["a"]), row(entities=[]), row(entities=["tram"])])  # fmt: skip
        assert [verdict(one) for one in found] == [
            None, ("verify", "not_visible", "a"), ("verify", "not_listed", None),
            ("verify", "no_entities", None), None,
        ]  # fmt: skip
        assert found[0]["entities"] == ["tram", "sea"]
        more = witness_of(tmp_path, calls, seen, "verify.min_share=0.51")
        assert verdict(more.judged([row(entities=named)])[0]) == (
            "verify", "not_visible", "car, church"
        )  # fmt: skip
        long = more.judged([row(entities=[f"thing {i}" for i in range(99)])])
        assert len(long[0]["detail"]) == 300
        with pytest.raises(ConfigError) as caught:
            witness_of(tmp_path, calls, {"photo_id": ["x"], "things": ["a"]})
        where = tmp_path / "seen.parquet"
        assert str(caught.value) == (
            f"verify.file {where} needs columns id and entities; it has photo_id, things"
        )


@pytest.mark.parametrize(("share", "kept"), [("0.56", True), ("0.561", False), ("0", True)])
def test_a_share_that_is_just_reached_is_enough(tmp_path, share, kept):
    """Fourteen of 25 are 0.56; 0.56 times 25 is a little more than fourteen."""
    things = [f"{letter}{letter}{letter}x" for letter in "abcdefghijklmnopqrstuvwyz"]
    with Calls(tmp_path / "calls") as calls:
        seen = {"id": ["x"], "entities": [things[:14]]}
        witness = witness_of(tmp_path, calls, seen, f"verify.min_share={share}")
        (found,) = witness.judged([row(entities=things)])
    assert found["kept"] is kept
    assert found["entities"] == (things[:14] if kept else things)


def test_detections_have_a_label_and_a_score():
    assert seeing._detections([{"label": "a", "score": "0.5"}, {"label": 7, "score": 1}]) == [
        ("a", 0.5), ("7", 1.0)
    ]  # fmt: skip
    assert seeing._detections([]) == []
    for bad in (None, 3, [3], [{"label": "a"}], [{"score": 1}], [{"label": "a", "score": "x"}]):
        with pytest.raises(BadReply) as caught:
            seeing._detections(bad)
        assert str(caught.value) == "the reply is no list of detections with label and score"


def test_a_detector_is_asked_about_so_many_things_of_so_many_signs(tmp_path):
    Image.new("RGB", (28, 28)).save(tmp_path / "a.png")
    asked = []
    with Calls(tmp_path / "calls") as calls:
        run = config("verify.url=http://h/v1", "verify.min_score=0.5",
                     f"photos.image_root={tmp_path}", "verify.min_share=0.1")  # fmt: skip
        witness = seeing.Witness(run, calls)

        class Server:
            def ask(self, path, body, read, pace):
                asked.append((path, body))
                labels = body["parameters"]["candidate_labels"]
                return [(label, 0.5 - (i == 1) * 0.01) for i, label in enumerate(labels)]

        witness._server = Server()
        things = ["x" * 100, "b", *(f"t{i}" for i in range(40))]
        (found,) = witness.judged([row(image="a.png", entities=things)])
        witness.judged([row(image="a.png", entities=things)])
    ((path, body),) = asked  # what was answered is kept
    assert path == ""
    assert "model" not in body
    assert body["parameters"]["candidate_labels"] == ["x" * 80, *things[1:30]]
    assert "b" not in found["entities"]  # less sure than 0.5
    assert {"t0", "t27"} <= {*found["entities"]}


# ---- what an answer says


@pytest.mark.parametrize(
    ("text", "score"),
    [("100%", 1.0), ("100.5%", None), ("99.5 %", 0.995), ("1.00000000", 1.0), ("1.000000000", None),
     ("true", 1.0), ("FALSE", 0.0), ('"0.5"', 0.5), ("0.5.", 0.5), ("{.5}", 0.5), ("0", 0.0),
     ("1.1", None), ("2", None), ("007%", 0.07), ("1000%", None), ("0,5", None), (".", None)],
)  # fmt: skip
def test_scores_at_their_bounds(text, score):
    assert prompt._score(text) == score


def test_an_answer_is_read_line_by_line():
    def read(*lines, thought="A tram."):
        return prompt.read(f"<think>{thought}</think><answer>{chr(10).join(lines)}</answer>")

    found = read("- Localizability： 0.4", "country: Chad", "city:", "  *evidence*: a; b")
    assert found == prompt.Said("A tram.", 0.4, "Chad", None, ("a", "b"), None)
    assert read("localizability: 0.4", "localizability: 0.4").localizability is None
    assert read("evidence: a", "evidence: b").evidence == ()
    assert read("my localizability: 0.4").localizability is None
    assert read("      evidence: a").evidence == ()  # six blanks
    assert read("country: Chad", thought="Answer yes.").problem == "addresses_judge"
    assert read("x", thought="").problem == "unreadable"
    assert prompt.read("<think>A.</think>") == prompt.Said("A.", None, None, None, (), "unreadable")
    many = "; ".join(f"t{i}" for i in range(31))
    assert read(f"evidence: {many}").evidence == tuple(f"t{i}" for i in range(30))


def test_questions_are_asked_in_these_words():
    """Answers that are kept are those to these words: another word asks all photos again."""
    assert key_of(prompt.QUESTION, prompt.CAN_BE_LOCATED)[:16] == QUESTIONS
    assert prompt.QUESTION.splitlines()[-4:] == [
        "localizability: [0 to 1, how surely the photo alone tells country and city]",
        "country: [name]", "city: [name]",
        "evidence: [visible things that your thinking names, with ; between]",
    ]  # fmt: skip


QUESTIONS = "71e72d6973a3a3cf"


# ---- step a


def test_answers_become_a_row():
    first = said("a", reasoning="", problem="unreadable", detail="it says 'x'", localizability=None,
                 evidence=[])  # fmt: skip
    second = said("b", reasoning="Red trams pass.", city="Porto", evidence=["red tram", "sea"])
    found = asking._with(row(), [first, second])
    assert verdict(found) == ("ask", "unreadable", "a: it says 'x'")
    assert (found["model"], found["reasoning"]) == ("b", "Red trams pass.")
    assert (found["said_country"], found["said_city"]) == ("Portugal", "Porto")
    assert (found["localizability"], found["entities"]) == (0.9, ["red tram"])
    assert found["answers"] == [first, second]
    none = asking._with(row(), [first, first | {"by": "b"}])
    assert (none["model"], none["localizability"], none["entities"]) == ("a", None, [])
    assert verdict(none) == ("ask", "unreadable", "a: it says 'x'")  # the first of them
    quiet = asking._with(row(), [said("a"), said("b", problem="refused", localizability=0.1)])
    assert verdict(quiet) == ("ask", "refused", "b")
    assert quiet["localizability"] == pytest.approx(0.5)
    assert asking._with(row(), [said("a"), said("b")])["kept"]
    assert asking._begins("  a\n b ") == "it says 'a b'"
    assert asking._begins("x" * 121) == f"it says {'x' * 120!r}"
    assert asking._begins(" \n") == "it says nothing"


def test_photos_are_asked_ahead_and_come_in_their_order():
    order, gate = [], threading.Event()

    def about(one, asked, run):
        if one["id"] == 0:
            gate.wait(5)
        order.append(one["id"])
        if one["id"] == 3:
            gate.set()
        return one

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "_about", about)
        made = asking._in_order(pool, [{"id": i} for i in range(9)], [], None, 4)
        assert [one["id"] for one in made] == list(range(9))
    assert order[:4] != [0, 1, 2, 3]
    assert sorted(order) == list(range(9))


def test_a_call_is_known_by_all_that_is_asked():
    options = config().models["a"]
    same = asking.kind_of(options, "?", 100)
    assert asking.kind_of(config("models.a.retries=9").models["a"], "?", 100) == same
    others = {asking.kind_of(options, "!", 100), asking.kind_of(options, "?", 101)}
    for more in ("model=x", "temperature=0.5", "max_tokens=7", "seed=3"):
        others.add(asking.kind_of(config(f"models.a.{more}").models["a"], "?", 100))
    assert len(others - {same}) == 6


# ---- the photos


def batches_of(tmp_path, columns, **more):
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    options = ReasonPhotos(table=str(tmp_path / "t.parquet"), **more)
    return [one for batch in photos.rows(options) for one in batch]


def test_each_photo_has_its_first_problem(tmp_path):
    columns = {
        "id": ["a", "a", None, "None", "b", "c", "d", "e"],
        "image": ["1", "1", "1", "1", "", "1", "1", "1"],
        "lat": [38.7, 38.7, 38.7, 38.7, None, 99.0, -40.0, 38.7],
        "lon": [-9.1, -9.1, -9.1, -9.1, None, 0.0, -130.0, -9.1],
        "Country": [None, None, None, None, None, None, None, "Mine"],
    }
    found = batches_of(tmp_path, columns)
    assert [one["reason"] if not one["kept"] else None for one in found] == [
        None, "repeated_id", "no_id", None, "no_image", "no_coordinates", "no_country", None
    ]  # fmt: skip
    assert {one["step"] for one in found if not one["kept"]} == {"ask"}
    assert (found[0]["country"], found[7]["country"]) == ("Portugal", "Mine")
    assert found[5]["lat"] is None
    assert found[4]["image"] is None
    assert set(found[0]) >= {"answers", "entities", "split", "city"}
    assert found[0]["split"] is None


def test_an_id_is_taken_by_a_photo_that_could_not_be_asked_about_too(tmp_path):
    """The file of predictions or of visible things has one row for it, whose photo nobody knows."""
    columns = {"id": ["a", "a", "b", "b"], "image": ["", "1", "1", "1"],
               "lat": [38.7, 38.7, 99.0, 38.7], "lon": [-9.1] * 4}  # fmt: skip
    assert [one["reason"] for one in batches_of(tmp_path, columns)] == [
        "no_image", "repeated_id", "no_coordinates", "repeated_id"
    ]  # fmt: skip


def test_a_name_that_the_table_lacks_is_that_of_the_coordinates_whatever_the_other_rows_have(
    tmp_path,
):
    columns = {"id": ["a", "b"], "image": ["1"] * 2, "lat": [38.7167] * 2, "lon": [-9.1333] * 2}
    for countries in (["Mine", "Mine"], ["Mine", None], ["Mine", ""]):
        names = {"country": countries, "city": [None, "Own"]}
        first, second = batches_of(tmp_path, columns | names)
        assert (first["country"], first["city"]) == ("Mine", "Lisbon")
        assert (second["country"], second["city"]) == (countries[1] or "Portugal", "Own")
    (first, _) = batches_of(tmp_path, columns | {"country": ["Mine", "Mine"]})
    assert (first["country"], first["city"]) == ("Mine", "Lisbon")


def test_rows_are_numbered_in_the_whole_table_and_limited_over_its_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "_READ_ROWS", 3)
    columns = {"image": ["1"] * 10, "lat": [38.7] * 10, "lon": [-9.1] * 10,
               "split": [None if i == 1 else "ab"[i % 2] for i in range(10)]}  # fmt: skip
    assert [one["id"] for one in batches_of(tmp_path, columns)] == list(map(str, range(10)))
    assert [one["id"] for one in batches_of(tmp_path, columns, split="b")] == ["3", "5", "7", "9"]
    assert [one["id"] for one in batches_of(tmp_path, columns, split="b", limit=2)] == ["3", "5"]
    assert [one["id"] for one in batches_of(tmp_path, columns, limit=4)] == list("0123")
    assert batches_of(tmp_path, columns, split="b")[0]["split"] == "b"


def test_tables_that_are_none_of_photos_are_told_in_these_words(tmp_path):
    base = {"image": ["1"], "lat": [1.0], "lon": [2.0], "id": ["a"]}
    where = tmp_path / "t.parquet"

    def told(columns=base, **more):
        with pytest.raises(ConfigError) as caught:
            batches_of(tmp_path, columns, **more)
        return str(caught.value)

    assert told(image="scan") == (
        f"{where} has no column 'scan' for the image; set photos.image to one of image, lat, lon, "
        "id"
    )
    assert told({**base, "image": [7]}) == (
        f"the column 'image' of {where} is int64; a reasoning set needs references to image files: "
        "write the images out, and give their paths"
    )
    assert told(split="a") == f"photos.split is 'a', and {where} has no column 'split'"
    assert told(id="name") == f"photos.id is 'name', and {where} has only image, lat, lon, id"
    lacks = told({"image": ["1"], "lon": [1.0]})
    assert "found no latitude column" in lacks
    assert str(where) in lacks
    nested = {**base, "image": [{"path": "1", "bytes": None}]}
    assert told(nested, image="image.path") == (
        f"{where} has no column 'image.path' for the image; set photos.image to one of image, lat, "
        "lon, id"
    )
    kinds = (pa.array(["1"]), pa.array(["1"], pa.large_string()), pa.nulls(1))
    assert [batches_of(tmp_path, {**base, "image": kind})[0]["image"] for kind in kinds] == [
        "1", "1", None
    ]  # fmt: skip


def test_ids_are_those_of_the_column_that_is_named(tmp_path):
    columns = {"id": ["1", "2"], "name": ["a", "b"], "image": ["1"] * 2, "lat": [38.7] * 2,
               "lon": [-9.1] * 2}  # fmt: skip
    assert [one["id"] for one in batches_of(tmp_path, columns)] == ["1", "2"]
    assert [one["id"] for one in batches_of(tmp_path, columns, id="name")] == ["a", "b"]


def test_photos_lie_beside_their_table_or_in_the_folder_that_is_named(tmp_path, monkeypatch):
    for name in ("else", "away"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.png").write_bytes(b"beside")
    (tmp_path / "else" / "a.png").write_bytes(b"named")
    monkeypatch.chdir(tmp_path / "away")
    columns = {"image": ["a.png"], "lat": [38.7], "lon": [-9.1], "country": ["x"], "city": ["y"]}
    for root, content in (({}, b"beside"), ({"image_root": str(tmp_path / "else")}, b"named")):
        (one,) = batches_of(tmp_path, columns, **root)
        options = ReasonPhotos(table=str(tmp_path / "t.parquet"), **root)
        assert photos.show(one["image"], options).hash == hashlib.sha256(content).hexdigest()


def test_a_photo_is_shown_upright_no_larger_than_allowed_and_known_by_its_file():
    picture, buffer = Image.new("RGB", (40, 20)), io.BytesIO()
    picture.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(buffer, "PNG", exif=exif)

    def shown(pixels):
        made = photos.Shown(buffer.getvalue(), ReasonPhotos(max_pixels=pixels))
        return made, Image.open(io.BytesIO(made.jpeg))

    made, whole = shown(800)
    assert whole.size == (20, 40)
    assert whole.getpixel((10, 5)) > (250,) * 3
    assert shown(1200)[1].size == (20, 40)  # a small photo stays as it is
    assert shown(799)[1].size == (19, 39)
    assert shown(200)[1].size == (10, 20)
    assert shown(1)[1].size == (1, 1)
    assert made.hash == hashlib.sha256(buffer.getvalue()).hexdigest()
    with pytest.raises(photos.UnreadableError):
        _ = photos.Shown(b"<html>", ReasonPhotos()).jpeg


# ---- files between steps


def test_what_a_step_dropped_is_told_by_number(tmp_path):
    rows = [row(id=f"k{i}") for i in range(3)]
    drop = row_parts.dropped
    rows += [drop(row(id="f"), "filter", "low"), drop(row(id="g"), "ask", "refused")]
    rows += [drop(row(id=f"r{i}"), "ask", "request_failed", "HTTP 500") for i in range(2)]
    rows += [drop(row(id=f"s{i}"), "ask", "model_changed") for i in range(3)]
    path = tmp_path / "1-ask.parquet"
    pq.write_table(pa.Table.from_pylist(rows, row_parts.SCHEMA), path)
    assert stepping.counts(path) == {
        (None, None): 3, ("filter", "low"): 1, ("ask", "refused"): 1,
        ("ask", "request_failed"): 2, ("ask", "model_changed"): 3,
    }  # fmt: skip
    assert stepping.told(path, "ask").splitlines() == [
        "ask: 3 of 10 photos are left",
        "          3 model_changed",
        "          2 request_failed",
        "          1 refused",
        "    such as r0: HTTP 500; start again to try again",
    ]
    assert stepping.told(path, "filter").splitlines() == [
        "filter: 3 of 10 photos are left", "          1 low"
    ]  # fmt: skip
    assert stepping._failures(path)
    assert building._report(path) == {
        "kept": {"rows": 3}, "filter": {"low": 1},
        "ask": {"refused": 1, "request_failed": 2, "model_changed": 3},
    }  # fmt: skip
    order = [[step, *reasons] for step, reasons in building._report(path).items()]
    assert order == [  # one order, so that a card of the same rows is the same text
        ["kept", "rows"], ["ask", "model_changed", "refused", "request_failed"], ["filter", "low"],
    ]  # fmt: skip
    long = "https://example.org/a-photo-of-" + "many-" * 14 + "words"
    again = [drop(row(id="r"), "ask", "request_failed", f"{'word ' * 12}well-known {long} end")]
    pq.write_table(pa.Table.from_pylist(again, row_parts.SCHEMA), path)
    assert stepping.told(path, "ask").splitlines()[2:] == [
        f"    such as r: {'word ' * 12}".rstrip(), "    well-known", f"    {long}",
        "    end; start again to try again",
    ]  # fmt: skip
    changed = [one for one in rows if one["reason"] != "request_failed"]
    pq.write_table(pa.Table.from_pylist(changed, row_parts.SCHEMA), path)
    assert "    such as s0: model_changed; start again to try again" in stepping.told(path, "ask")
    pq.write_table(pa.Table.from_pylist(rows[:5], row_parts.SCHEMA), path)
    assert not stepping._failures(path)


def test_a_set_of_no_photos_is_made_of_no_rows(tmp_path):
    pq.write_table(pa.Table.from_pylist([], row_parts.SCHEMA), tmp_path / "a.parquet")
    assert stepping.counts(tmp_path / "a.parquet") == {}
    assert stepping.told(tmp_path / "a.parquet", "ask") == "ask: 0 of 0 photos are left"


def test_a_step_of_settings_that_cannot_run_is_refused():
    with pytest.raises(ConfigError, match="give_up must be above 0"):
        reasoning.run(config("photos.table=t.csv", "give_up=0"), "filter")


def test_steps_have_their_files_in_their_order(tmp_path):
    made = config(f"output={tmp_path}")
    assert [stepping.file_of(made, step).name for step in reasoning.STEPS] == [
        "1-ask.parquet", "2-filter.parquet", "3-truth.parquet", "4-agree.parquet",
        "5-verify.parquet",
    ]  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        stepping.file_of(made, "tell")
    assert str(caught.value) == (
        "step is 'tell'; expected one of ask, filter, truth, agree, verify"
    )


# ---- what it will cost


def estimate(tmp_path, ready, spent=None, **changed):
    more = [f"models.a.{key}={value}" for key, value in changed.items()]
    made = config("photos.max_pixels=78400", "question=" + "x" * 40, *more)
    with Calls(tmp_path / "calls") as calls:
        if spent is not None:
            kind = asking.kind_of(made.models["a"], "x" * 40, 78400)
            calls.spent[kind] = spent
        lines, cost, hours = estimating._of_model("a", made.models["a"], made, calls, ready)
    return lines[1:], cost, hours


def test_calls_tokens_and_time_by_hand(tmp_path):
    """100 tokens of image and 10 of the question; 8 calls at once, of 5 s each."""
    lines, cost, hours = estimate(tmp_path, 3600)
    assert lines == [
        "  3600 calls left (0 answers are there), 5 s each, 1.6 a second",
        "  about 396,000 tokens in, 1,440,000 out; 37.5 min",
    ]
    assert (cost, hours) == (None, pytest.approx(0.625))
    lines, cost, _ = estimate(tmp_path, 1000, usd_per_million_in=2, usd_per_million_out=10,
                              max_tokens=100)  # fmt: skip
    assert cost == pytest.approx((110_000 * 2 + 100_000 * 10) / 1e6)
    assert lines[1] == "  about 110,000 tokens in, 100,000 out; 10.4 min; $1.22"
    assert estimate(tmp_path, 1000, usd_per_million_in=1)[1] == pytest.approx(0.11)
    lines, _, hours = estimate(tmp_path, 1000, localizability="first_token",
                               requests_per_second=1)  # fmt: skip
    assert lines == [
        "  2000 calls left (0 answers are there), 5 s each, 1 a second",
        "  about 220,000 tokens in, 400,000 out; 33.3 min",
    ]
    assert estimate(tmp_path, 1000, requests_per_second=2)[0][0].endswith("1.6 a second")
    lines, _, _ = estimate(tmp_path, 30, Spent(10, 20.0, 5000, 300))
    assert lines == [
        "  20 calls left (10 answers are there), 2 s each, 4 a second",
        "  about 10,000 tokens in, 600 out; 5 s",
    ]
    lines, _, _ = estimate(tmp_path, 5, Spent(10, 20.0, 0, 0))
    assert lines == [
        "  0 calls left (10 answers are there), 2 s each, 4 a second",
        "  about 0 tokens in, 0 out; 0 s",
    ]
    lines, _, _ = estimate(tmp_path, 9, seconds_per_call=0)  # so quick that it takes a millionth
    assert lines[0] == "  9 calls left (0 answers are there), 0 s each, 8e+06 a second"
    assert [estimating._hours(h) for h in (1.0, 0.999, 1 / 60, 1 / 61, 25.04)] == [
        "1.0 h", "59.9 min", "1.0 min", "59 s", "25.0 h"
    ]  # fmt: skip


def test_the_plan_adds_up_what_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "_READ_ROWS", 1)  # a photo a batch
    monkeypatch.setenv("MINE_API_KEY", "secret")
    columns = {"id": ["a", "b"], "image": ["1", ""], "lat": [38.7] * 2, "lon": [-9.1] * 2}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    given = [f"photos.table={tmp_path / 't.parquet'}", f"output={tmp_path / 'o'}"]
    priced = [f"models.{name}.usd_per_million_out=1000" for name in "ab"]
    lines = reasoning.plan(config(*given, *priced)).splitlines()
    assert lines[0] == f"{tmp_path / 't.parquet'}: 2 photos, 1 can be asked about"
    assert lines[1] == "models.a: m-a at http://h:8000 (without key)"
    assert lines[-1] == f"in all: 1 s, cost $0.80; answers are kept in {tmp_path / 'o'}"
    half = reasoning.plan(config(*given, priced[0], "models.b.seconds_per_call=80",
                                 "models.b.key_variable=MINE_API_KEY"))  # fmt: skip
    assert half.splitlines()[4] == "models.b: m-b at http://h:8000 (with the key of MINE_API_KEY)"
    assert half.splitlines()[-1] == (
        f"in all: 10 s, cost not known: set usd_per_million_*; answers are kept in {tmp_path / 'o'}"
    )


# ---- answers that are kept


def test_what_is_kept_says_what_it_cost_and_who_answered(tmp_path):
    with Calls(tmp_path / "new" / "folder") as calls:
        calls.answer("a", "k", lambda: {"model": "m1", "tokens": (3, 4), "text": "é"})
        calls.answer("b", "k", lambda: {"model": "m2", "tokens": (5, 6)})
        calls.answer("c", "k", lambda: {"text": "x"})
        calls.answer("d", "other", lambda: {"model": ""})
        spent = calls.spent["k"]
        assert (spent.calls, spent.tokens_in, spent.tokens_out) == (3, 8, 10)
        assert calls.served == {"k": "m1"}
        assert calls.answer("b", "k", lambda: 1 / 0)["model"] == "m2"
    lines = (tmp_path / "new" / "folder" / "calls.jsonl").read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    assert {*first} == {"key", "kind", "seconds", "reply"}
    assert "é" in lines[0]
    assert first["seconds"] == round(first["seconds"], 4)
    with Calls(tmp_path / "new" / "folder") as calls:
        assert calls.spent["k"].calls == 3
        assert calls.spent["k"].seconds == pytest.approx(spent.seconds)
        assert calls.served == {"k": "m1"}


def test_rows_of_the_set_have_the_columns_of_the_contract():
    assert row_parts.SCHEMA.names == [*row_parts.SET.names, "answers"]
    found = row_parts.answer("a", "p", "d", city="x")
    assert {*found} == {field.name for field in row_parts.ANSWER}
    assert (found["by"], found["problem"], found["detail"], found["city"]) == ("a", "p", "d", "x")
    assert (found["evidence"], found["reasoning"]) == ([], None)
