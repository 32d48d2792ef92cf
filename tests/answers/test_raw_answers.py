"""Raw answers written as an adversary would write them, each with what a careful person reads.

``raw_answers.jsonl`` holds 372 answers in the manner of many models: several candidates and a
final one, thinking, tables, tool calls, lists, LaTeX, cut JSON, sixtieths, 25 languages. Each is
read alone and with sentences around it that hold other numbers, other places among them.
"""

import json
import random
from pathlib import Path

import pytest

from geodata.answers import parse_tolerant
from geodata.answers.texts.spellings import respelt

from .test_layouts import noise

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "raw_answers.jsonl")
    .read_text("utf-8")
    .splitlines()
]
BEFORE = (
    "Paris lies at 48.8566, 2.3522.",
    "The Eiffel Tower (48.8584° N, 2.2945° E) has a similar shape.",
    "Rated 4.5, 3.2 and 4.8 stars.",
    "One reference photo had lat 35.0116 and lon 135.7681.",
    "The picture is 1024 x 768 pixels; the tower is at (512.5, 300.25).",
    "The bounding box of the sign is [0.12, 0.34, 0.56, 0.78].",
    "N 45° E is the bearing of the road.",
    "Latitude 40 is a guess from the sun.",
    "Trees like these grow at 40-45 degrees latitude.",
    "1. Sky: blue\n2. Road: grey\n3. Cars: 4.5 m long",
    "- 2 signs\n- 3 trees\n- 1 car",
    "| clue | weight |\n|---|---|\n| tree | 0.45 |\n| sign | 0.55 |",
    "Signs: 'S 40', 'E 75', 'A9 West'.",
    "The clock shows 3:45 PM; the date is 12/08/2021.",
    "Latitude can be guessed from the sun's height (about 52°).",
)
WHOLE = ("<think", "<|", "image_001", "ASSISTANT", "<reasoning")
"""Answers that begin with these have nothing before them."""


def is_read(row, text):
    answer = parse_tolerant(text)
    near = answer.lat is not None and max(
        abs(answer.lat - row["lat"]), abs(answer.lon - row["lon"])
    ) < 6e-3  # fmt: skip
    return near, answer


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_each_is_read_as_a_careful_person_reads_it(row):
    near, answer = is_read(row, row["text"])
    assert near, answer


def test_none_is_misread_silently_among_other_numbers_and_places():
    rng = random.Random(7)
    flagged = 0
    for _ in range(2_000):
        row = rng.choice(ROWS)
        before = [rng.choice((rng.choice(BEFORE), noise(rng))) for _ in range(rng.randint(0, 3))]
        before = [] if row["text"].startswith(WHOLE) else before
        text = rng.choice(("\n", "\n\n")).join([*before, row["text"]])
        near, answer = is_read(row, text)
        assert near or answer.lat is None or answer.ambiguous, (row, text, answer)
        flagged += not near
    assert flagged <= 2


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- 12.0\n- 77.0", (12.0, 77.0)),
        ("* 12.0\n* 77.0", (12.0, 77.0)),
        ("- -12.0\n- -77.0", (-12.0, -77.0)),
        ("1. -12.0464\n2. -77.0428", (-12.0464, -77.0428)),
        ("1. 48.8584° N\n2. 2.2945° E", (48.8584, 2.2945)),
        ("2) 48.8584\n3) 2.2945", (48.8584, 2.2945)),
        ("a) 48.8584\nb) 2.2945", (48.8584, 2.2945)),
        ("> 1. 48.8584\n> 2. 2.2945", (48.8584, 2.2945)),
        # these are no lists: the numbers do not count upwards by one
        ("12. 8584, 2. 2945", (12.8584, 2.2945)),
        ("48. 8584, 2. 2945", (48.8584, 2.2945)),
    ],
)
def test_a_mark_of_a_list_is_no_number(text, place):
    answer = parse_tolerant(text)
    assert (answer.lat, answer.lon) == place
    assert not answer.ambiguous


@pytest.mark.parametrize(
    "text",
    ["UTM zone 31U 452482 5411718", "8FW4V75V+8Q", "Latitude: 48.8 - 48.9, Longitude: 2.3 - 2.4",
     "The cars are 4.5 m long.\n2. Dry: 12.5", "between 30°N and 50°N and 10°E and 20°E",
     "The sign says 12 E Main St, 45 N.", "Temperatures of 25.5 to 30.2 degrees",
     "1. 5 trees\n2. 7 cars"],
)  # fmt: skip
def test_what_is_no_coordinate_is_none(text):
    answer = parse_tolerant(text)
    assert answer.lat is None or answer.ambiguous


def test_a_half_that_waited_gives_way_to_a_whole_pair():
    for text in (
        "Latitude 40 is a guess.\n\nLongitude: 32.4886\nLatitude: -66.1628",
        "N 45° E is its bearing.\n东经32.4886°，南纬66.1628°",
    ):
        answer = parse_tolerant(text)
        assert (answer.lat, answer.lon) == (-66.1628, 32.4886)
    # a pair in prose, and then another in lines: no half of them is dropped
    answer = parse_tolerant(
        "The latitude is 40.1 and the longitude 32.4\nLatitude: 1\nLongitude: 2"
    )
    assert (answer.lat, answer.lon) == (1.0, 2.0)


def test_words_of_other_labels_stay():
    for text in ("the belonging", "nombre", "délka mostu 45 m", "plain", "<answer>1, 2</answer>"):
        assert respelt(text) == text
    assert respelt("Šířka: 1, zeměpisná délka: 2") == "latitude: 1, longitude: 2"
