"""The configuration of a reasoning set: its defaults, and each rule from both sides."""

from dataclasses import asdict

import pytest

from georl.config import ConfigError, check_reason, load_reason, recorded
from georl.config.presets import preset_weights

SERVED = [f"models.{name}.{given}" for name in "ab"
          for given in ("url=http://localhost:8000/v1", f"model=m{name}")]  # fmt: skip
SOUND = ["photos.table=photos.csv", *SERVED]

SERVER = {"url": None, "model": "", "key_variable": None, "concurrency": 8,
          "requests_per_second": 0.0, "retries": 4, "timeout_s": 120.0}  # fmt: skip
DEFAULTS = {
    "output": "out/reason", "table": "lake/reason", "question": None, "models": {}, "give_up": 20,
    "photos": {"table": "", "image": "image", "image_root": ".", "id": None, "split": None,
               "limit": None, "max_pixels": 1_000_000},
    "filter": {"min_localizability": 0.5},
    "truth": {"near_km": 25.0, "need_city": True, "predictor": None, "predictor_km": 750.0,
              "predictor_confidence": 0.0},
    "agree": SERVER | {"place_km": 25.0, "min_similarity": None},
    "verify": SERVER | {"file": None, "min_score": 0.3, "min_share": 1.0},
}  # fmt: skip
ASKED = SERVER | {
    "localizability": "answer", "max_tokens": 1024, "temperature": 0.0, "seed": None,
    "usd_per_million_in": 0.0, "usd_per_million_out": 0.0, "seconds_per_call": 5.0,
}  # fmt: skip


def test_what_is_not_said():
    assert asdict(load_reason(None)) == DEFAULTS
    named = asdict(load_reason(None, ["models.a.model=m"]))["models"]
    assert named == {"a": ASKED | {"model": "m"}}


def test_the_similarity_that_is_asked_for_is_that_of_the_measure():
    assert load_reason(None).agree.least == 0.2
    assert load_reason(None, ["agree.url=http://h:1"]).agree.least == 0.7
    for more in ([], ["agree.url=http://h:1"]):
        assert load_reason(None, [*more, "agree.min_similarity=0"]).agree.least == 0.0


IN_01 = "it lies in [0, 1]"
TWO = "and agreement needs two or more; add models.NAME.url and models.NAME.model"
CASES = [  # (settings on top of a sound set, what is said; None: nothing)
    ([], None),
    (["photos.table=''"], "photos.table is not set; name a table of a lake or a file of photos"),
    (["models.b.model=ma"],
     "two of models are the same model with the same options; their agreement says nothing"),
    *((["models.b.model=ma", f"models.b.{one}"], None)
      for one in ("temperature=0.5", "seed=1", "max_tokens=9")),
    (["models.b.model=ma", "models.b.url=http://other:1"],
     "two of models are the same model with the same options; their agreement says nothing"),
    (["models.c.url=http://h:1", "models.c.model=mc"], None),
    (["models.b.model=''"], "models.b.model is not set; give the name that the server knows"),
    (["models.b.url=ftp://h"], "models.b.url 'ftp://h' is no http or https URL, e.g. "
     "http://localhost:8000/v1"),
    (["models.b.url=null"], "models.b.url '' is no http or https URL, e.g. http://localhost:8000/v1"),
    (["models.b.concurrency=1", "models.b.retries=0"], None),
    (["models.b.concurrency=0"],
     "models.b.concurrency must be above 0, and retries not below 0"),
    (["models.b.retries=-1"], "models.b.concurrency must be above 0, and retries not below 0"),
    (["models.b.timeout_s=0"], "models.b.timeout_s is 0.0; it must be above 0"),
    (["agree.url=http://h:1"], "agree.model is not set; give the name that the server knows"),
    (["agree.url=http://h:1", "agree.model=e"], None),
    (["agree.model=e", "agree.retries=-1"], None),  # of a server that nobody asks
    (["verify.url=http://h:1", "verify.model=d"], None),
    (["verify.url=http://h:1", "verify.model=d", "verify.concurrency=0"],
     "verify.concurrency must be above 0, and retries not below 0"),
    (["verify.file=v.csv"], None),
    (["verify.file=v.csv", "verify.url=http://h:1", "verify.model=d"],
     "verify.file and verify.url are both set; what is visible is said by one of them"),
    (["photos.max_pixels=1", "give_up=1"], None),
    (["photos.max_pixels=0"], "photos.max_pixels and give_up must be above 0"),
    (["give_up=0"], "photos.max_pixels and give_up must be above 0"),
    *(([f"{name}={value}"], said) for name in (
        "filter.min_localizability", "verify.min_share", "verify.min_score",
        "agree.min_similarity",
    ) for value, said in (("0", None), ("1", None), ("-0.1", f"{name} is -0.1; {IN_01}"),
                          ("1.1", f"{name} is 1.1; {IN_01}"))),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "said"), CASES)
def test_a_rule_holds_on_one_side_of_its_bound_only(settings, said):
    config = load_reason(None, [*SOUND, *settings])
    if said is None:
        check_reason(config)
        return
    with pytest.raises(ConfigError) as error:
        check_reason(config)
    assert str(error.value) == said


@pytest.mark.parametrize(("count", "said"), [(0, "0 entries"), (1, "1 entries"), (2, None)])
def test_agreement_is_between_two_models(count, said):
    config = load_reason(None, SOUND[: 1 + 2 * count])
    if said is None:
        check_reason(config)
        return
    with pytest.raises(ConfigError) as error:
        check_reason(config)
    assert str(error.value) == f"models has {said}, {TWO}"


def test_a_key_that_is_not_there_is_told_before_a_photo_leaves(monkeypatch):
    config = load_reason(None, [*SOUND, "models.a.key_variable=MY_API_KEY"])
    for held in (None, "", "\n"):
        monkeypatch.delenv("MY_API_KEY", raising=False)
        if held is not None:
            monkeypatch.setenv("MY_API_KEY", held)
        with pytest.raises(ConfigError) as error:
            check_reason(config)
        assert str(error.value) == (
            "models.a.key_variable is MY_API_KEY, which is not set in the environment; export "
            "MY_API_KEY=..., or set models.a.key_variable=null for a server without keys"
        )
    monkeypatch.setenv("MY_API_KEY", "k")
    check_reason(config)


def test_every_problem_is_told_at_once():
    with pytest.raises(ConfigError) as error:
        check_reason(load_reason(None, ["give_up=0", "verify.min_share=2"]))
    assert [line.partition(" ")[0] for line in str(error.value).splitlines()] == [
        "photos.table", "models", "photos.max_pixels", "verify.min_share",
    ]  # fmt: skip


def test_what_decides_the_rows_is_recorded_and_nothing_else():
    every = ["models.a.temperature=0.5", "models.a.seed=3", "models.a.max_tokens=9",
             "models.a.localizability=first_token", "question=Q", "photos.split=s",
             "agree.url=http://h:1", "agree.model=e", "truth.predictor=p.csv"]  # fmt: skip
    told = recorded(load_reason(None, [*SOUND, *every]))
    asked = {"model": "ma", "localizability": "first_token", "max_tokens": 9, "temperature": 0.5,
             "seed": 3}  # fmt: skip
    other = {"model": "mb", "localizability": "answer", "max_tokens": 1024, "temperature": 0.0,
             "seed": None}  # fmt: skip
    assert told == {
        "question": "Q", "models": {"a": asked, "b": other},
        "photos": {"image": "image", "id": None, "split": "s", "limit": None,
                   "max_pixels": 1_000_000},
        "filter": {"min_localizability": 0.5},
        "truth": {"near_km": 25.0, "need_city": True, "predictor_km": 750.0,
                  "predictor_confidence": 0.0},
        "agree": {"model": "e", "place_km": 25.0, "min_similarity": 0.7},
        "verify": {"model": "", "min_score": 0.3, "min_share": 1.0},
    }  # fmt: skip


def test_the_weights_of_each_work():
    """GLOBE's paper prints none; those of the release are read from its scripts and its README."""
    three = ("place_accuracy", "localizability", "visual_grounding")
    assert preset_weights("geo-r") == {"geo_r": 1.0}
    assert preset_weights("globe") == dict.fromkeys(three, 1.0)
    form = {"think_format": 1.0}
    assert preset_weights("globe-release") == dict(zip(three, (1.0, 0.5, 0.2), strict=True)) | form
    assert preset_weights("globe-readme") == dict(zip(three, (1.0, 0.2, 0.5), strict=True)) | form
    assert preset_weights("globe-two") == {"place_accuracy": 1.0, "visual_grounding": 0.5} | form
    preset_weights("geo-r")["geo_r"] = 7.0  # a copy
    assert preset_weights("geo-r") == {"geo_r": 1.0}
    with pytest.raises(ConfigError) as error:
        preset_weights("globes")
    assert str(error.value) == (
        "rewards.preset is 'globes'; expected one of geo-r, globe, globe-release, globe-readme, "
        "globe-two"
    )
