"""The five steps over real connections: what each keeps, drops, counts, and says."""

import base64
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import tables
from georl import cli, reasoning
from georl.config import ConfigError, load_reason, recorded
from georl.reasoning import calls, stepping

from . import world
from .world import PLACES, JsonServer, PhotoServer


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("georl.endpoints.LONGEST_PAUSE_S", 0.01)


def rows_of(built):
    return {row["id"]: row for row in tables.open(built.table).arrow().to_pylist()}


def why(rows):
    return {k: (r["step"], r["reason"]) for k, r in rows.items() if not r["kept"]}


def test_the_whole_path(tmp_path, capsys):
    world.photos(tmp_path, 14)
    elsewhere = "Cherry blossoms bloom beside wooden temples."
    a = {1: {"score": 0.2}, 2: {"country": "Atlantis"}, 3: "I do not know.", 4: {"score": "no"}}
    b = {5: {"country": "France", "city": "Paris"}, 6: {"thought": elsewhere}}
    with PhotoServer("a", a) as one, PhotoServer("b", b) as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url})
        built = reasoning.build(config)
        assert (len(one.requests), len(two.requests)) == (14, 14)
        again = reasoning.build(config)
        assert again == built
        assert (len(one.requests), len(two.requests)) == (14, 14)
    rows = rows_of(built)
    assert why(rows) == {
        "p1": ("filter", "low_localizability"),
        "p2": ("truth", "unknown_place"),
        "p3": ("ask", "refused"),
        "p4": ("filter", "not_localizable"),
        "p5": ("truth", "wrong_country"),
        "p6": ("agree", "unlike_reasoning"),
    }
    assert (built.rows, built.kept) == (14, 8)
    kept = rows["p0"]
    assert kept["reasoning"].startswith("A yellow tram passes tiled houses")
    assert kept["entities"] == ["yellow tram"]
    assert (kept["model"], kept["localizability"], kept["split"]) == ("a", 0.9, "test")
    assert (kept["country"], kept["city"], kept["image"]) == ("Portugal", "Lisbon", "0.png")
    assert kept["distance_km"] < 5
    assert kept["similarity"] > 0.9
    assert (kept["step"], kept["reason"]) == (None, None)
    assert rows["p5"]["detail"].startswith("b: Paris, France, ")
    assert rows["p5"]["reasoning"]  # a dropped row keeps it: it teaches what does not hold
    said = capsys.readouterr().out
    assert "truth: 9 of 14 photos are left" in said
    assert said.index("photos are sent to http://127.0.0.1:") < said.index("ask: 13 of 14")
    note = tables.open(built.table).note
    assert note["report"]["agree"] == {"unlike_reasoning": 1}
    assert note["report"]["kept"] == {"rows": 8}
    assert note["models_served"] == {"a": "model-a", "b": "model-b"}
    assert note["inputs"]["photos"]["name"] == "photos.csv"
    card = built.card.read_text()
    assert "unlike_reasoning" in card
    assert "compared by their words" in card
    assert str(tmp_path) not in card


def test_the_contract_of_the_table(tmp_path):
    world.photos(tmp_path, 2)
    with PhotoServer("a") as one, PhotoServer("b") as two:
        built = reasoning.build(world.config(tmp_path, {"a": one.url, "b": two.url}))
    schema = tables.open(built.table).arrow().schema
    text, number = pa.string(), pa.float64()
    promised = {
        "id": text, "image": text, "lat": number, "lon": number, "country": text, "city": text,
        "reasoning": text, "localizability": number, "entities": pa.list_(text), "model": text,
        "kept": pa.bool_(), "step": text, "reason": text, "split": text,
    }  # fmt: skip
    assert schema.names[: len(promised)] == list(promised)
    for name, kind in promised.items():
        found = schema.field(name).type
        assert found == kind or (pa.types.is_list(found) and found.value_type == text), name


def test_each_step_alone_on_what_the_one_before_left(tmp_path, capsys):
    world.photos(tmp_path, 8)
    with PhotoServer("a", {1: {"score": 0.6}}) as one, PhotoServer("b") as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url})
        with pytest.raises(ConfigError, match="truth needs what filter leaves, and filter has not"):
            reasoning.run(config, "truth")
        with pytest.raises(ConfigError, match="step is 'tell'; expected one of ask, filter"):
            reasoning.run(config, "tell")
        for step in ("ask", "filter", "truth"):
            path = reasoning.run(config, step)
        assert stepping.counts(path) == {(None, None): 8}
        strict = world.config(
            tmp_path, {"a": one.url, "b": two.url}, "filter.min_localizability=0.7"
        )
        with pytest.raises(ConfigError, match="filter was run with other settings; run it first"):
            reasoning.run(strict, "truth")
        said = reasoning.status(strict)
        assert said.count("of other settings") == 2
        assert said.count("not run") == 2
        reasoning.run(strict, "filter")
        assert stepping.counts(reasoning.run(strict, "truth")) == {
            (None, None): 7, ("filter", "low_localizability"): 1,
        }  # fmt: skip
        assert len(one.requests) == 8
    assert "8 of 8 photos are left" in capsys.readouterr().out


def test_the_plan_sends_nothing_and_counts(tmp_path):
    world.photos(tmp_path, 9, rows={0: {"image": ""}})
    prices = ["models.a.usd_per_million_in=1", "models.a.usd_per_million_out=10",
              "models.b.usd_per_million_out=1", "models.a.requests_per_second=2"]  # fmt: skip
    with PhotoServer("a") as one, PhotoServer("b") as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *prices)
        said = reasoning.plan(config)
        assert (one.requests, two.requests) == ([], [])
        assert "9 photos, 8 can be asked about" in said
        assert f"models.a: model-a at http://127.0.0.1:{one.http.server_port} (without" in said
        assert "8 calls left (0 answers are there)" in said
        assert "1.6 a second" in said  # 8 under way, 5 s each
        assert "cost $0.0" in said
        reasoning.run(config, "ask")
        said = reasoning.plan(config)
        assert "0 calls left (8 answers are there)" in said
        assert ", 2 a second" in said  # quick now: the bound is the rate
    twice = world.config(tmp_path, {"a": "http://x/v1", "b": "http://y/v1"}, *prices,
                         "models.a.localizability=first_token",
                         f"output={tmp_path / 'o'}")  # fmt: skip
    assert "16 calls left" in reasoning.plan(twice)
    free = world.config(tmp_path, {"a": "http://x/v1", "b": "http://y/v1"})
    assert "cost not known: set usd_per_million_*" in reasoning.plan(free)


def test_photos_that_cannot_be_asked_about_are_rows_with_a_reason(tmp_path):
    changes = {
        0: {"image": ""}, 1: {"lat": ""}, 2: {"image": "gone.png"}, 3: {"id": "p4"},
        5: {"lat": -40.0, "lon": -130.0, "country": ""}, 6: {"image": "broken.png"}, 7: {"lat": 99},
    }  # fmt: skip
    world.photos(tmp_path, 9, rows=changes)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrest is missing")
    with PhotoServer("a") as one, PhotoServer("b") as two:
        built = reasoning.build(world.config(tmp_path, {"a": one.url, "b": two.url}))
        asked = sorted(one.numbers)
    found = tables.open(built.table).arrow().to_pylist()
    assert [row["reason"] for row in found] == [
        "no_image", "no_coordinates", "image_missing", None, "repeated_id", "no_country",
        "image_unreadable", "no_coordinates", None,
    ]  # fmt: skip
    assert asked == [3, 8]  # the row before has taken the name p4


def test_the_same_photo_twice_is_asked_once(tmp_path):
    world.photos(tmp_path, 6, rows={5: {"image": "0.png", "lat": 38.7, "lon": -9.1}})
    with PhotoServer("a") as one, PhotoServer("b") as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url})
        one.delay_s = 0.05
        reasoning.run(config, "ask")
        assert sorted(one.numbers) == [0, 1, 2, 3, 4]


def test_a_photo_that_changed_is_asked_again_and_all_later_steps_follow(tmp_path):
    world.photos(tmp_path, 4)
    with PhotoServer("a", {7: {"score": 0.6}}) as one, PhotoServer("b") as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url})
        built = reasoning.build(config)
        Image.new("RGB", (28, 28), world.colour(7)).save(tmp_path / "1.png")  # Kyoto as well
        reasoning.run(config, "ask")
        assert len(one.requests) == 5
        again = reasoning.build(config)
    assert again.version == built.version + 1
    assert rows_of(again)["p1"]["localizability"] == pytest.approx(0.75)


def test_split_limit_and_usual_names(tmp_path):
    path = world.photos(tmp_path, 10)
    text = path.read_text().replace(
        "id,image,lat,lon,country,city", "IMG_ID,file,LAT,LON,land,town"
    )
    path.write_text(text)
    options = ["photos.image=file", "photos.split=train", "photos.limit=3"]
    with PhotoServer("a") as one, PhotoServer("b") as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *options)
        rows = rows_of(reasoning.build(config))
    assert list(rows) == ["p1", "p2", "p3"]
    assert [row["country"] for row in rows.values()] == ["Japan", "Norway", "Kenya"]
    with pytest.raises(ConfigError, match=r"has no column 'image' for the image; set photos.image"):
        reasoning.plan(world.config(tmp_path, {"a": one.url, "b": two.url}))


def test_a_table_of_a_lake_at_a_version(tmp_path):
    world.photos(tmp_path, 3)
    rows = pa.table({"photo_id": ["x", "y"], "image": ["0.png", "1.png"],
                     "lat": [PLACES[0][2], PLACES[1][2]],
                     "lon": [PLACES[0][3], PLACES[1][3]]})  # fmt: skip
    tables.write(tmp_path / "lake" / "photos", rows)
    tables.write(tmp_path / "lake" / "photos", rows.slice(0, 1))
    with PhotoServer("a") as one, PhotoServer("b") as two:
        old = f"photos.table={tmp_path / 'lake' / 'photos@0'}"
        built = reasoning.build(world.config(tmp_path, {"a": one.url, "b": two.url}, old))
    assert rows_of(built)["y"]["city"] == "Kyoto"  # labels of its coordinates
    note = tables.open(built.table).note["inputs"]["photos"]
    assert note["version"] == 0
    held = pa.table({"id": ["x"], "image": [b"bytes"], "lat": [1.0], "lon": [2.0]})
    pq.write_table(held, tmp_path / "held.parquet")
    config = world.config(tmp_path, {"a": "http://x", "b": "http://y"},
                          f"photos.table={tmp_path / 'held.parquet'}")  # fmt: skip
    with pytest.raises(ConfigError, match="is binary; a reasoning set needs references"):
        reasoning.plan(config)


def test_what_is_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("QWEN_API_KEY", "secret")
    world.photos(tmp_path, 1)
    exif = Image.Exif()
    exif[0x9286] = "the answer is Lisbon"
    Image.new("RGB", (400, 200), world.colour(0)).save(tmp_path / "0.png", exif=exif)
    options = ["models.a.key_variable=QWEN_API_KEY", "photos.max_pixels=20000",
               "models.a.seed=7", "models.a.temperature=0.5", "models.a.max_tokens=99",
               "question=Where is it?"]  # fmt: skip
    with PhotoServer("a") as one, PhotoServer("b") as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *options)
        reasoning.run(config, "ask")
        asked, other = one.requests[0], two.requests[0]
    assert (asked.key, other.key) == ("Bearer secret", None)
    assert {k: asked.body[k] for k in ("model", "seed", "temperature", "max_tokens")} == {
        "model": "model-a", "seed": 7, "temperature": 0.5, "max_tokens": 99,
    }  # fmt: skip
    assert asked.text == "Where is it?"
    assert "seed" not in other.body
    shown = Image.open(io.BytesIO(asked.image))
    assert (shown.size, shown.format, dict(shown.getexif())) == ((200, 100), "JPEG", {})
    assert "secret" not in json.dumps(recorded(config))
    assert b"secret" not in b"".join(p.read_bytes() for p in (tmp_path / "run").iterdir())


def test_localizability_of_the_first_token(tmp_path):
    world.photos(tmp_path, 2)
    option = "models.a.localizability=first_token"
    with PhotoServer("a") as one, PhotoServer("b", {1: {"score": 0.65}}) as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, option)
        rows = rows_of(reasoning.build(config))
        assert (len(one.requests), len(two.requests)) == (4, 2)
    assert rows["p1"]["localizability"] == pytest.approx((0.75 + 0.65) / 2)


# --- steps c to e -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "options", "reason"),
    [
        ({"city": "Sintra"}, [], None),  # 23 km away
        ({"city": "Sintra"}, ["truth.near_km=10"], "wrong_city"),
        ({"city": "Porto"}, [], "wrong_city"),
        ({"city": "Lisboa"}, ["truth.near_km=0"], None),  # the label's city by another name
        ({"country": "Spain", "city": "Lisbon"}, [], "unknown_place"),
        ({"country": "Spain", "city": "Madrid"}, [], "wrong_country"),
        ({"country": "Nowhereland"}, [], "unknown_place"),
        ({"city": "Xyzzyville"}, [], "unknown_place"),
        ({"country": "none"}, [], "unknown_place"),
        ({"city": "]"}, [], "no_city"),
        ({"city": "]"}, ["truth.need_city=false"], None),
        ({"country": "]"}, [], "no_place"),
    ],
)
def test_contradictions(tmp_path, answer, options, reason):
    world.photos(tmp_path, 1)
    with PhotoServer("a", {0: answer}) as one, PhotoServer("b", {0: answer}) as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *options)
        row = rows_of(reasoning.build(config))["p0"]
    assert (row["kept"], row["reason"]) == (reason is None, reason)
    assert reason is None or row["step"] == "truth"


def test_a_place_across_a_border_is_near_enough(tmp_path):
    """Como and Chiasso are 5 km apart, in two countries."""
    world.photos(tmp_path, 1, rows={0: {"lat": 45.832, "lon": 9.032, "country": "Switzerland"}})
    answer = {0: {"country": "Italy", "city": "Como"}}
    with PhotoServer("a", answer) as one, PhotoServer("b", answer) as two:
        row = rows_of(reasoning.build(world.config(tmp_path, {"a": one.url, "b": two.url})))["p0"]
        assert row["kept"]
        far = world.config(tmp_path, {"a": one.url, "b": two.url}, "truth.near_km=1")
        row = rows_of(reasoning.build(far))["p0"]
    assert (row["kept"], row["reason"]) == (False, "wrong_country")
    assert 1 < row["distance_km"] < 12


def test_a_coordinate_predictor(tmp_path):
    world.photos(tmp_path, 4)
    lines = ["id,lat,lon,confidence", "p0,38.7,-9.1,0.9", "p1,0,0,0.9", "p2,0,0,0.1", "p3,,,0.9"]
    (tmp_path / "geoclip.csv").write_text("\n".join(lines) + "\n")
    given = [f"truth.predictor={tmp_path / 'geoclip.csv'}", "truth.predictor_confidence=0.5"]
    with PhotoServer("a") as one, PhotoServer("b") as two:
        urls = {"a": one.url, "b": two.url}
        built = reasoning.build(world.config(tmp_path, urls, *given))
        assert why(rows_of(built)) == {"p1": ("truth", "predictor_elsewhere")}
        wide = reasoning.build(world.config(tmp_path, urls, *given, "truth.predictor_km=20000"))
        assert why(rows_of(wide)) == {}
        assert wide.version == built.version + 1
        given[1] = "truth.predictor_confidence=0"
        built = reasoning.build(world.config(tmp_path, urls, *given))
        assert set(why(rows_of(built))) == {"p1", "p2"}
        (tmp_path / "geoclip.csv").write_text("id,lat,lon\np0,1,1\n")
        with pytest.raises(ConfigError, match="no column 'confidence'"):
            reasoning.build(
                world.config(tmp_path, urls, given[0], "truth.predictor_confidence=0.5")
            )


@pytest.mark.parametrize(
    ("answer", "options", "reason"),
    [
        ({"city": "Sintra"}, [], None),
        ({"city": "Sintra"}, ["agree.place_km=5", "truth.near_km=30"], "other_city"),
        ({"country": "Spain", "city": "Badajoz"}, ["truth.near_km=300"], "other_country"),
        ({"thought": "Cherry blossoms bloom beside temples."}, [], "unlike_reasoning"),
        ({"thought": "Cherry blossoms bloom."}, ["agree.min_similarity=0"], None),
    ],
)
def test_agreement(tmp_path, answer, options, reason):
    world.photos(tmp_path, 1)
    with PhotoServer("a") as one, PhotoServer("b", {0: answer}) as two:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *options)
        row = rows_of(reasoning.build(config))["p0"]
    assert (row["kept"], row["reason"]) == (reason is None, reason)
    assert reason is None or row["step"] == "agree"


def embeddings(body):
    vector = [1.0, 0.0, 0.0] if "tram" in body["input"] else [0.6, 0.8, 0.0]
    return {"data": [{"embedding": vector}]}


def test_embeddings_of_a_server(tmp_path):
    world.photos(tmp_path, 3)
    other = {1: {"thought": "A train under wires, in Kyoto."}}
    with PhotoServer("a") as one, PhotoServer("b", other) as two, JsonServer(embeddings) as third:
        given = [f"agree.url={third.url}", "agree.model=minilm", "agree.retries=0"]
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *given)
        built = reasoning.build(config)
        n = len(third.requests)
        assert n == 6
        assert third.requests[0]["model"] == "minilm"
        rows = rows_of(built)
        assert why(rows) == {"p1": ("agree", "unlike_reasoning")}
        assert rows["p1"]["similarity"] == pytest.approx(0.6)
        assert tables.open(built.table).note["parameters"]["agree"]["min_similarity"] == 0.7
        reasoning.run(config, "agree")
        assert len(third.requests) == n  # kept


@pytest.mark.parametrize("bad", [b"<html>", 500, {"data": []}, {"data": [{"embedding": [0, 0]}]},
                                 {"data": [{"embedding": ["x"]}]}])  # fmt: skip
def test_a_server_of_embeddings_that_fails_is_counted_and_tried_again(tmp_path, bad):
    world.photos(tmp_path, 2)
    with PhotoServer("a") as one, PhotoServer("b") as two, JsonServer(lambda _: bad) as third:
        given = [f"agree.url={third.url}", "agree.model=m", "agree.retries=0"]
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *given)
        built = reasoning.build(config)
        assert set(why(rows_of(built)).values()) == {("agree", "no_similarity")}
    with JsonServer(embeddings) as third:
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *given[1:],
                              f"agree.url={third.url}")  # fmt: skip
        assert reasoning.build(config).kept == 2


def test_visible_things_by_a_file(tmp_path):
    world.photos(tmp_path, 5)
    seen = {"id": ["p0", "p1", "p2", "p4"],
            "entities": [["tram", "car"], ["car"], [], ["big yellow trams"]]}  # fmt: skip
    pq.write_table(pa.table(seen), tmp_path / "seen.parquet")
    given = [f"verify.file={tmp_path / 'seen.parquet'}"]
    thoughts = {4: {"thing": "yellow tram; overhead wire"}, 3: {"thing": "castle"}}
    thoughts[4]["thought"] = "A yellow tram under an overhead wire in Lima, number 4."
    with PhotoServer("a", thoughts) as one, PhotoServer("b") as two:
        urls = {"a": one.url, "b": two.url}
        low = "agree.min_similarity=0"
        rows = rows_of(reasoning.build(world.config(tmp_path, urls, *given, low)))
        assert why(rows) == {
            "p1": ("verify", "not_visible"), "p2": ("verify", "not_visible"),
            "p3": ("verify", "not_listed"), "p4": ("verify", "not_visible"),
        }  # fmt: skip
        assert rows["p4"]["detail"] == "overhead wire"
        half = world.config(tmp_path, urls, *given, low, "verify.min_share=0.5")
        rows = rows_of(reasoning.build(half))
        assert rows["p4"]["kept"]
        assert rows["p4"]["entities"] == ["yellow tram"]


def detections(body):
    labels = body["parameters"]["candidate_labels"]
    assert Image.open(io.BytesIO(base64.b64decode(body["inputs"])))
    return [{"label": label, "score": 0.25 if "tram" in label else 0.9,
             "box": {"xmin": 0, "ymin": 0, "xmax": 9, "ymax": 9}} for label in labels]  # fmt: skip


def test_visible_things_by_a_detector(tmp_path):
    world.photos(tmp_path, 3)
    castle = {1: {"thing": "castle"}, 2: {"thing": "]", "thought": "It feels like Oslo."}}
    with PhotoServer("a", castle) as one, PhotoServer("b") as two, JsonServer(detections) as eyes:
        given = [f"verify.url={eyes.url}", "verify.model=owlv2", "agree.min_similarity=0"]
        config = world.config(tmp_path, {"a": one.url, "b": two.url}, *given)
        built = reasoning.build(config)
        assert why(rows_of(built)) == {
            "p0": ("verify", "not_visible"), "p2": ("verify", "no_entities"),
        }  # fmt: skip
        assert len(eyes.requests) == 2
        lower = world.config(tmp_path, {"a": one.url, "b": two.url}, *given, "verify.min_score=0.2")
        assert reasoning.build(lower).kept == 2
        assert len(eyes.requests) == 2  # another bound asks nothing again


@pytest.mark.parametrize("bad", [{"error": "loading"}, b"<html>", 503, [{"label": "tram"}]])
def test_a_detector_that_fails_is_counted_and_asked_again(tmp_path, bad):
    world.photos(tmp_path, 2)
    with PhotoServer("a") as one, PhotoServer("b") as two:
        given = ["verify.model=owlv2", "verify.retries=0", "verify.min_score=0.2"]
        urls = {"a": one.url, "b": two.url}
        with JsonServer(lambda _: bad) as eyes:
            config = world.config(tmp_path, urls, *given, f"verify.url={eyes.url}")
            rows = rows_of(reasoning.build(config))
            assert set(why(rows).values()) == {("verify", "request_failed")}
        with JsonServer(detections) as eyes:
            config = world.config(tmp_path, urls, *given, f"verify.url={eyes.url}")
            assert reasoning.build(config).kept == 2
        with JsonServer(lambda _: 401) as eyes:
            given += [f"verify.url={eyes.url}", f"output={tmp_path / 'new'}"]
            config = world.config(tmp_path, urls, *given)
            with pytest.raises(ConfigError, match=r"verify: http.* refuses every photo: HTTP 401"):
                reasoning.build(config)


def test_the_command_line(tmp_path, capsys, monkeypatch):
    world.photos(tmp_path, 3)
    monkeypatch.chdir(tmp_path)
    with PhotoServer("a") as one, PhotoServer("b") as two:
        (tmp_path / "run.yaml").write_text(
            "photos: {table: photos.csv}\nmodels:\n"
            f"  a: {{url: '{one.url}', model: m-a}}\n  b: {{url: '{two.url}', model: m-b}}\n"
        )

        def command(*words):
            monkeypatch.setattr("sys.argv", ["georl", "reason", *words])
            with pytest.raises(SystemExit) as stop:
                cli.main()
            found = capsys.readouterr()
            return stop.value.code, found.out, found.err

        assert command("build", "run.yaml", "--dry-run")[0] == 0
        assert one.requests == []
        for step in reasoning.STEPS:
            code, out, _ = command(step, "run.yaml")
            assert code == 0
            assert out.rstrip().endswith(f"-{step}.parquet")
        assert len(one.requests) == 3
        code, out, _ = command("build", "run.yaml", "filter.min_localizability=0.6")
        assert code == 0
        assert "lake/reason@0: 3 of 3 photos kept; card in out/reason/card/README.md" in out
        assert len(one.requests) == 3
        code, out, _ = command("status", "run.yaml")
        assert "of other settings: run it again" in out
        code, out, _ = command("plan", "run.yaml")
        assert "3 photos, 3 can be asked about" in out
        code, _, err = command("plan", "run.yaml", "models.a.modle=x")
        assert code == 2
        assert "unknown key 'models.a.modle'; did you mean models.a.model?" in err


def test_two_processes_do_not_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(calls, "PATIENCE_S", 0.1)
    world.photos(tmp_path, 1)
    config = world.config(tmp_path, {"a": "http://x/v1", "b": "http://y/v1"})
    with calls.Calls(tmp_path / "run"), pytest.raises(ConfigError, match="another process"):
        reasoning.plan(config)
    assert load_reason("two-servers").models["qwen"].concurrency == 32
