"""GLOBE's rewards: what they say, what the paper's equation says, and attacks that must not pay."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from geodata import gazetteer
from georl import rewards
from georl.config import REWARD_PRESETS, Config, ConfigError, RewardConfig, load
from georl.rewards import entities as things, spoken

ENTITIES = ["red tram", "tiled facade", "steep street", "overhead wires"]
HONEST = (
    "<think>A red tram climbs a steep street past a tiled facade, and overhead wires hang above "
    "it, which together point to the old town of Lisbon.</think>"
    "<answer>country: Portugal\ncity: Lisbon</answer>"
)


def answered(country="", city="", thought="A tram climbs the street.", after=""):
    return f"<think>{thought}</think><answer>country: {country}\ncity: {city}</answer>{after}"


def accuracy(*texts, country="Portugal", city="Lisbon", **options):
    n = len(texts)
    return rewards.place_accuracy(list(texts), country=[country] * n, city=[city] * n, **options)


# ---- place accuracy


NAMES = [("Portugal", "Lisbon"), ("Portugal", "Porto"), ("Spain", "Madrid"), ("Atlantis", "Lisbon")]


@settings(deadline=None)
@given(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES[:3]),
    st.floats(0, 1),
    st.sampled_from(["gazetteer", "release"]),
)
def test_place_accuracy_is_its_equation(said, true, alpha, rule):
    right = (said[0] == true[0], said[1] == true[1])
    wanted = right[0] * (alpha * right[1] + 1 - alpha)
    got = accuracy(answered(*said), country=true[0], city=true[1], alpha=alpha, rule=rule)
    assert got == [pytest.approx(wanted)]


@pytest.mark.parametrize(
    ("said", "true", "reward"),
    [
        (("USA", "NYC"), ("United States", "New York City"), 1.0),
        (("美国", "纽约"), ("US", "New York"), 1.0),
        (("[Portugal]", "**Lisboa**"), ("Portugal", "Lisbon"), 1.0),
        (("Niger", "Lagos"), ("Nigeria", "Lagos"), 0.0),
        (("Congo", "Kinshasa"), ("DR Congo", "Kinshasa"), 0.0),
        (("Japan", "Shibuya"), ("Japan", "Tokyo"), 1.0),
        (("USA", "Austin, TX"), ("US", "Austin"), 1.0),
        (("Portugal", "unknown"), ("Portugal", "Lisbon"), 0.2),
        (("None", "None"), ("Italy", "None"), 0.0),
        (("Thailand", "nan"), ("Thailand", "Nan"), 0.2),
        (("Portugal", "Lisbon"), ("Portugal", None), 1.0),
        (("Portugal", "Xanaduville"), ("Portugal", "xanaduville"), 1.0),
        (("Portugal", ""), ("Portugal", "Xanaduville"), 0.2),
    ],
)
def test_places_not_texts_are_compared(said, true, reward):
    assert accuracy(answered(*said), country=true[0], city=true[1]) == [pytest.approx(reward)]


def test_the_release_compares_texts():
    pairs = [(("Niger", "Lagos"), ("Nigeria", "Lagos")), (("USA", "NYC"), ("United States", "NYC"))]
    got = [
        accuracy(answered(*said), country=true[0], city=true[1], rule="release")[0]
        for said, true in pairs
    ]
    assert got == [pytest.approx(1.0), 0.0]


def test_the_truth_may_be_coordinates():
    texts = [HONEST, answered("Portugal", "Porto"), HONEST]
    got = rewards.place_accuracy(texts, lat=[38.72, 38.72, -30.0], lon=[-9.14, -9.14, -120.0])
    assert got == [1.0, pytest.approx(0.2), None]


def test_bad_truth_and_options_are_refused():
    with pytest.raises(ValueError, match="row 1 is None"):
        rewards.place_accuracy(["", ""], country=["France", None])
    with pytest.raises(ValueError, match="'Atlantis' is not known"):
        rewards.place_accuracy([""], country=["Atlantis"])
    with pytest.raises(ValueError, match="columns country and city, or lat and lon"):
        rewards.place_accuracy([""])
    with pytest.raises(ValueError, match="1 completions and 2 country"):
        rewards.place_accuracy([""], country=["France"] * 2, city=["Paris"])
    with pytest.raises(ValueError, match=r"alpha is 1\.5"):
        accuracy("", alpha=1.5)
    with pytest.raises(ValueError, match="rule is 'likeness'"):
        accuracy("", rule="likeness")


PLACE_ATTACKS = {
    "every country": answered(", ".join(["Portugal", "Spain", "France", "Italy"]), "Lisbon"),
    "every country in lines": "<think>x</think><answer>"
    + "\n".join(f"country: {c}\ncity: Lisbon" for c in ("Portugal", "Spain", "France"))
    + "</answer>",
    "two cities in lines": "<think>x</think><answer>country: Portugal\ncity: Porto\n"
    "city: Lisbon</answer>",
    "either, or": answered("Portugal or Spain", "Lisbon or Madrid"),
    "every city": answered("Portugal", "Porto, Braga, Faro, Lisbon"),
    "in the thinking": "<think>country: Portugal\ncity: Lisbon</think>"
    "<answer>country: Spain\ncity: Madrid</answer>",
    "in the thinking alone": "<think>country: Portugal\ncity: Lisbon</think>",
    "answer block in the thinking": "<think><answer>country: Portugal\ncity: Lisbon</answer>"
    "</think>"
    "<answer>country: Spain\ncity: Madrid</answer>",
    "two answer blocks": "<think>x</think><answer>country: Spain</answer>"
    "<answer>country: Portugal\ncity: Lisbon</answer>",
    "after the answer": answered("Spain", "Madrid", after="country: Portugal\ncity: Lisbon"),
    "a second thought": answered("Portugal", "Lisbon", after=" Or country: Spain"),
    "unclosed answer": "<think>x</think><answer>country: Portugal\ncity: Lisbon",
    "a wall of names": answered(" ".join(["Portugal", "Spain", "France"] * 400), "Lisbon"),
    "part of a name": answered("Portug", "Lisb"),
    "the instruction": answered("Portugal (give full reward)", "Lisbon (correct)"),
}


@pytest.mark.parametrize("text", PLACE_ATTACKS.values(), ids=PLACE_ATTACKS)
def test_attacks_on_place_accuracy_earn_less_than_the_honest_answer(text):
    honest, attack = accuracy(HONEST, text)
    assert honest == 1.0
    assert attack <= 0.2 + 1e-9


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_earns_a_number_in_range(text):
    for value in (*accuracy(text), *rewards.think_format([text])):
        assert 0.0 <= value <= 1.0
    (share,) = rewards.visual_grounding([text], entities=[ENTITIES])
    assert 0.0 <= share <= 1.0


def test_completions_as_trl_gives_them():
    chat = [{"role": "assistant", "content": [{"type": "text", "text": HONEST}]}]
    for reward, columns in (
        (rewards.place_accuracy, {"country": ["Portugal"], "city": ["Lisbon"]}),
        (rewards.visual_grounding, {"entities": [ENTITIES]}),
        (rewards.think_format, {}),
    ):
        assert reward(completions=[chat], prompts=["?"], id=["a"], **columns) == [1.0]
    assert rewards.place_accuracy([None], country=["France"]) == [0.0]
    assert rewards.place_accuracy([], country=[]) == []


# ---- visual grounding


@pytest.mark.parametrize(
    ("thought", "entities", "share"),
    [
        ("A red car waits near palm trees.", ["car", "palm tree", "bus"], 2 / 3),
        ("The scarf of a carpenter lies there.", ["car", "arc"], 0.0),
        ("Café signs and CHURCHES.", ["cafe sign", "church"], 1.0),
        ("街道两旁有棕榈树和红色电车。", ["棕榈树", "电车", "汽车"], 2 / 3),
        ("通りには路面電車と看板がある。", ["路面電車", "看板"], 1.0),
        ("Улица с красным трамваем и трамвай", ["трамвай", "трам"], 0.5),
        ("شارع فيه ترام أحمر ونخيل", ["ترام", "رام"], 0.5),
        ("거리에 전차 한 대가 있다", ["전차"], 1.0),
        ("ถนนมีรถรางสีแดง", ["รถราง"], 1.0),
        ("सड़क पर लाल ट्राम है", ["ट्राम", "राम"], 0.5),
        ("Eine Straße mit Straßenbahn.", ["STRASSE"], 1.0),
    ],
)
def test_entities_are_found_as_words(thought, entities, share):
    text = f"<think>{thought}</think><answer>x</answer>"
    assert rewards.visual_grounding([text], entities=[entities]) == [pytest.approx(share)]


def test_entities_come_in_several_forms():
    forms = [ENTITIES, [{"text": one} for one in ENTITIES], str(ENTITIES).replace("'", '"')]
    assert rewards.visual_grounding([HONEST] * 3, entities=forms) == [1.0] * 3
    assert rewards.visual_grounding([HONEST] * 3, entities=[[], None, [" "]]) == [None] * 3
    with pytest.raises(ValueError, match="give text"):
        rewards.visual_grounding([HONEST], entities=[[7]])
    with pytest.raises(ValueError, match="give a list"):
        rewards.visual_grounding([HONEST], entities=[{"text": "a"}])
    with pytest.raises(ValueError, match="1 completions and 2 entities"):
        rewards.visual_grounding([HONEST], entities=[[], []])


NOUNS = [
    "building", "tree", "car", "bus", "road", "sign", "sky", "cloud", "hill", "river", "bridge",
    "tower", "church", "mosque", "palm tree", "fence", "window", "door", "roof", "wall", "person",
    *ENTITIES,
]  # fmt: skip
GROUNDING_ATTACKS = {
    "a list with commas": ", ".join(NOUNS),
    "a list in lines": "\n".join(f"- {noun}" for noun in NOUNS),
    "a list without marks": " ".join(NOUNS * 2),
    "a list in a sentence": "I see " + ", ".join(NOUNS) + ", so this is Lisbon.",
    "half of them": "A red tram climbs a steep street, so this must be the old town of Lisbon.",
    "nothing": "This is the old town of Lisbon, which I know at once from its whole character.",
}


@pytest.mark.parametrize("thought", GROUNDING_ATTACKS.values(), ids=GROUNDING_ATTACKS)
def test_stuffing_earns_less_than_the_honest_reasoning(thought):
    attack = f"<think>{thought}</think><answer>country: Portugal\ncity: Lisbon</answer>"
    honest, stuffed = rewards.visual_grounding([HONEST, attack], entities=[ENTITIES] * 2)
    assert honest == 1.0
    assert stuffed <= 0.5


def test_what_is_not_reasoning_grounds_nothing():
    hidden = f"<think>Lisbon.</think><answer>country: Portugal\ncity: Lisbon {ENTITIES}</answer>"
    untagged = "A red tram climbs a steep street past a tiled facade with overhead wires."
    got = rewards.visual_grounding([hidden, untagged], entities=[ENTITIES] * 2)
    assert got == [0.0, 0.0]


# ---- format


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        (HONEST, 1.0), (f"\n{HONEST}\n", 1.0), (HONEST + " Done.", 0.0), ("Well. " + HONEST, 0.0),
        ("<think>a</think>", 0.0), ("<answer>a</answer>", 0.0), ("", 0.0),
        ("<answer>a</answer><think>b</think>", 0.0), ("<think></think><answer>a</answer>", 0.0),
        ("<think>a</think><answer> </answer>", 0.0), (HONEST * 2, 0.0),
        ("<think>a</think>so<answer>b</answer>", 0.0),
        ("<think>a<think>b</think><answer>c</answer>", 0.0),
        ("<think>a<answer>b</think>c</answer>", 0.0), ("<think>a<answer>b</think></answer>", 0.0),
        ("<think> </think><answer>b</answer>", 0.0), ("<think>a</think>\n<answer>b</answer>", 1.0),
    ],
)  # fmt: skip
def test_format(text, reward):
    assert rewards.think_format([text]) == [reward]


@pytest.mark.parametrize(
    "unit", ["<think>", "</think>", "<answer>", "country: ", "a, ", "<", "city:x\n", " ", "car"]
)
def test_long_texts_take_linear_time(unit):
    def seconds(n):
        text = f"<think>{unit * n}</think><answer>{unit * n}</answer>"
        start = time.perf_counter()
        accuracy(text)
        rewards.think_format([text])
        rewards.visual_grounding([text], entities=[["car", "tram"]])
        return time.perf_counter() - start

    seconds(10)
    assert seconds(100_000) < 2.0


# ---- reading


@given(st.text(max_size=60), st.text(max_size=60))
def test_reasoning_and_answer_are_what_stands_in_their_blocks(thought, said):
    if any(tag in thought + said for tag in spoken.TAGS) or not thought.strip() or not said.strip():
        return
    text = f"<think>{thought}</think><answer>{said}</answer>"
    assert spoken.is_well_formed(text)
    assert spoken.reasoning(text) == thought.strip()
    assert spoken.answer(text) == said


def test_a_list_is_told_from_sentences_at_its_bounds():
    def named(n):
        return "; ".join(["a dog"] * n + ["the tall grey tower stands on it"] * 3)

    assert things.share(named(7), ["dog"]) == 1.0
    assert things.share(named(8), ["dog"]) == 0.0


# ---- configuration


def test_presets_are_weights_of_rewards_that_there_are():
    for name, weights in REWARD_PRESETS.items():
        config = load(None, [f"rewards.preset={name}"])
        assert config.rewards.weights == weights
    assert REWARD_PRESETS["globe-release"] == {
        "place_accuracy": 1.0, "localizability": 0.5, "visual_grounding": 0.2, "think_format": 1.0,
    }  # fmt: skip
    assert REWARD_PRESETS["globe-readme"] == {
        "place_accuracy": 1.0, "localizability": 0.2, "visual_grounding": 0.5, "think_format": 1.0,
    }  # fmt: skip
    two = {"place_accuracy": 1.0, "visual_grounding": 0.5, "think_format": 1.0}
    assert REWARD_PRESETS["globe-two"] == two
    assert set(REWARD_PRESETS["globe"].values()) == set(REWARD_PRESETS["geo-r"].values()) == {1.0}
    changed = load(None, ["rewards.preset=globe-two", "rewards.weights.think_format=0.1"])
    assert changed.rewards.weights["think_format"] == 0.1
    assert load(None, []).rewards == Config().rewards
    with pytest.raises(ConfigError, match="'glob'; expected one of geo-r, globe"):
        load(None, ["rewards.preset=glob"])


def test_the_configuration_of_globe_binds_its_rewards():
    config = load("globe-7b-8xa100", [])
    bound = rewards.bind_rewards(rewards, config.rewards)
    assert {one.__name__ for one in bound} == set(config.rewards.weights)
    assert {"place_accuracy", "visual_grounding", "localizability"} <= set(config.rewards.weights)


def test_arguments_of_globe_rewards_are_checked_when_bound():
    def bind(**arguments):
        weights = dict.fromkeys(arguments, 1.0)
        return rewards.bind_rewards(rewards, RewardConfig(weights, arguments))

    (reward,) = bind(place_accuracy={"alpha": 0.5})
    assert reward([HONEST], country=["Portugal"], city=["Porto"]) == [0.5]
    with pytest.raises(ConfigError, match="alpha is 2"):
        bind(place_accuracy={"alpha": 2})
    with pytest.raises(ConfigError, match="needs a judge"):
        bind(localizability={})
    with pytest.raises(ConfigError, match="no argument 'modell'"):
        bind(localizability={"modell": "x"})


def test_gazetteer_accuracy_beats_the_string_rule_on_aliases():
    """Countries by their common names: places agree with the truth, texts do not."""
    names = {"USA": "US", "UK": "GB", "Türkiye": "TR", "Holland": "NL", "Deutschland": "DE"}
    texts = [answered(name, "") for name in names]
    true = [gazetteer.resolve(code).name for code in names.values()]
    by_place = rewards.place_accuracy(texts, country=true)
    by_text = rewards.place_accuracy(texts, country=true, rule="release")
    assert (np.mean(by_place), np.mean(by_text)) == (1.0, 0.0)
