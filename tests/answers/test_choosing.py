"""Of several coordinates the one that is the answer, and whether the text leaves it open."""

import pytest

from geodata.answers.finding.angles import find_angles
from geodata.answers.finding.candidates import (
    KEYED,
    LABELLED,
    WEAK,
    WRITTEN,
    Candidate,
    find_candidates,
)
from geodata.answers.finding.choosing import SAME_PLACE_KM, choose

A, B, C = "(10.5125, 20.5125)", "(-30.5125, 40.5125)", "(50.5125, -60.5125)"
PLACES = {10.5125: "A", -30.5125: "B", 50.5125: "C"}


def chosen(text, span=None):
    """Return which of A, B, C the text answers, with ? where it leaves that open."""
    body = text.replace("A", A).replace("B", B).replace("C", C)
    choice = choose(body, find_candidates(body, find_angles(body)), span)
    return choice and PLACES[choice.chosen.lat] + "?" * choice.contested


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("A", "A"), ("A A", "A"), ("A. B so final answer:", "B?"), ("A B", "B?"),
        ("A. however B", "B"), ("A or, better, B", "B?"),
        ("A. but it may be B", "B?"), ("A, could also be, so B", "B?"), ("A, so the B", "B"),
        ("final answer: A\n\nB", "A"), ("final answer: A, B", "A?"),
        ("final answer: A\n\nor B", "A?"),
        ("final answer: A. actually B", "B"), ("final answer: A. Wait, B", "B?"),
        ("final answer: A. B. However, C", "C"), ("A. my best guess is B\n\n C", "B"),
        ("A. better: the best guess is B\n\n C", "B"),
        ("final answer: \n\nthen the final answer: A\n\nB", "A"),
        ("my answer is A. final guess: B", "B"),
        ("my answer is A. The answer: B", "B"), ("the answer: A\n\nB", "A"),
        ("answered A B", "B?"),
        ("\\boxed{A} B", "A?"), ("\\boxed{10.5125, 20.5125}\n\nB", "A"),
        ("second guess: A B", "B"), ("A alternatively: B", "A"),
        ("A\nrunner-up: B", "A"), ("A. less likely B", "A"), ("A. backup option B", "A"),
        ("A. third choice: B", "A"), ("2nd best guess A", "A"), ("alternative: A\nB", "B"),
        ("alternative. A B", "B?"), ("alternative: A, alternative: B", "B?"),
        ("A B, and better C", "C"), ("A or B, so the C", "C"), ("B A, but C", "C"),
        ("better A B C", "C?"),
        ("final guess: A" + " y" * 20 + "\n\nbut revised B", "B"),
    ],
)  # fmt: skip
def test_which_of_several_is_the_answer(text, answer):
    assert chosen(text) == answer


CUES = """final best my refined revised corrected definitive"""
THINGS = """answer guess estimate prediction coordinate coordinates location choice"""


@pytest.mark.parametrize("word", CUES.split())
@pytest.mark.parametrize("thing", THINGS.split())
def test_a_cue_is_two_words(word, thing):
    assert chosen(f"{word} {thing} A\n\nB") == "A"
    assert chosen(f"{word}{thing} A\n\nB")[0] == "B"


@pytest.mark.parametrize(("apart", "cued"), [(237, True), (238, False)])
def test_a_cue_is_followed_closely(apart, cued):
    text = "final guess " + "y" * apart + "A\n\nB"
    assert chosen(text) == ("A" if cued else "B?")


REVISES = """however|actually|instead|more accurate|more likely|more precise|more probable
more specific|more plausible|better
revised|refined|correction|on second thought|wait|settle|narrow|final"""


@pytest.mark.parametrize("word", REVISES.replace("\n", "|").split("|"))
def test_words_that_revise_what_a_cue_introduced(word):
    assert chosen(f"best guess: A. {word} B")[0] == "B"
    assert chosen("best guess: A. And B")[0] == "A"
    assert chosen(f"best guess: A. {word} {'y ' * 130} B")[0] == "A"


DECIDED = """final|answer|more accurate|more likely
better|best|actual|correct|instead|revise|refine
therefore|thus|hence|conclude|most likely|most probable|but|however|settle|choose|go with|going with
narrow|rather|so the"""


@pytest.mark.parametrize("word", DECIDED.replace("\n", "|").split("|"))
def test_words_that_decide_between_two(word):
    assert chosen(f"It is A. {word} B") == "B"
    assert chosen(f"It is A. {word} {'y ' * 200} B") == "B?"


def test_the_last_revision_behind_a_cue_counts():
    assert chosen("best guess: A\n\nhowever B\n\nhowever C") == "C"
    assert chosen("best guess: A, B however C") == "C"
    assert chosen("best guess: A however B\n\nC") == "B"


UNDECIDED = "or|alternatives|either|another possible|other possibility|second guesses|could also"
UNDECIDED += "|might be|may be|may also"


@pytest.mark.parametrize("word", UNDECIDED.split("|"))
def test_words_that_leave_two_open(word):
    assert chosen(f"A is better, {word}. it is better at B") == "B?"


def test_weights_choose_unless_the_text_revises_them():
    assert chosen("A (70%)\nB (20%)") == "A?"
    assert chosen("A (20%)\nB (70%)") == chosen("A (0%)\nB (70%)") == "B?"
    assert chosen("A (70%)\nA (20%)") == "A"
    assert chosen("A (70%)\nB (70%)") == "B?"
    assert chosen("A (70%)\nB") == "B?"
    assert chosen("A (70%)\nB\nC (20%)") == chosen("A\nB (70%)\nC (20%)") == "C?"
    assert chosen("A (70%)\nB (20%)\nhowever C (10%)")[0] == "C"
    assert chosen("A (70%)\nhowever B (20%)\nC (10%)")[0] == "A"
    assert chosen("best guess: A (20%)\n\nB (70%)") == "A"


def test_the_last_fenced_block_is_an_object():
    assert chosen("\x02 A \x02 so better B") == "A"
    assert chosen("A \x02 B \x02 so C") == "B"
    assert chosen("\x02 A \x02 \x02 B \x02 C") == "B"
    assert chosen("\x02 A \x02 \x02 text \x02 B") == "A"
    assert chosen("\x02 A") == "A"
    assert chosen("\x0210.5125, 20.5125\x02 so better B") == "A"
    assert chosen("\x02 x is 10.5, 20.5 \x02 so it is B") == "B"


def test_an_answer_block_counts_where_it_holds_a_place():
    body = f"u {A} v {B} w"
    start = body.index("v")
    assert chosen("u A v B w", (0, start)) == "A"
    assert chosen("u A v B w", (start, len(body))) == "B"
    number = body.index("10.5125")
    assert chosen("u A v B w", (number, number + 1)) == "A"
    assert chosen("u A v B w", (number + 1, number + 2)) == "B?"
    assert chosen("u A v B w", (number - 1, number)) == "B?"


# candidates as they are


def at(lat, lon=0.0, start=0, rank=WRITTEN, **more):
    return Candidate(lat, lon, start, start + 5, rank, False, "pair", **more)


def pick(*candidates, body=None):
    choice = choose(body or " " * 400, list(candidates), None)
    return choice and (candidates.index(choice.chosen), choice.contested)


def test_the_highest_rank_counts_and_a_place_before_none():
    assert choose("", [], None) is None
    assert pick(at(1, rank=WEAK)) == (0, False)
    assert pick(at(1), at(1, start=9, rank=WEAK)) == (0, False)
    assert pick(at(1, rank=LABELLED), at(1, start=9)) == (0, False)
    assert pick(at(1, rank=KEYED), at(1, start=9, rank=LABELLED)) == (0, False)
    assert pick(at(1), at(95, start=9)) == (0, False)
    assert pick(at(94), at(95, start=9))[0] == 1
    assert pick(at(94), at(1, start=9, rank=WEAK)) == (0, False)


@pytest.mark.parametrize(("lat", "open_"), [(0.22, False), (0.23, True)])
def test_places_of_25_kilometres_are_one(lat, open_):
    """A degree of latitude on the sphere is 111.19 km: 0.2248 degrees are 25."""
    assert SAME_PLACE_KM == 25.0
    assert pick(at(0.0), at(lat, start=9)) == (1, open_)


def test_a_labelled_line_may_be_revised_in_prose():
    body = "Latitude: 1, 2 ... however 3, 4 and so on"
    first = at(1.0, start=0, rank=LABELLED)
    later = at(30.0, start=28)
    assert pick(first, later, body=body) == (0, True)
    assert pick(first, later, body=body.replace("however", "and")) == (0, False)
    cue = "final answer: 1, 2 ... however 3, 4 and so on"
    cued, behind = at(1.0, start=14, rank=LABELLED), at(30.0, start=36)
    assert pick(cued, behind, body=cue) == (0, False)
    assert pick(cued, behind, body=cue.replace("final answer", "coordinates:")) == (0, True)
    assert pick(first, at(1.1, start=28), body=body) == (0, False)
    assert pick(first, at(30.0, start=28, rank=WEAK), body=body) == (0, False)
    assert pick(at(1.0, start=0, rank=KEYED), later, body=body) == (0, False)
    other = at(30.0, start=28, rank=LABELLED)
    assert pick(first, other, body=body.replace("however", "and")) == (1, True)
    before = at(30.0, start=0)
    assert pick(before, at(1.0, start=28, rank=LABELLED), body=body) == (1, False)


def test_of_many_the_nearest_twenty_are_looked_at():
    many = [at(30.0, start=0), *(at(1.0, start=i) for i in range(10, 31))]
    assert pick(*many)[1] is False
    many = [at(30.0, start=0), *(at(1.0, start=i) for i in range(10, 30))]
    assert pick(*many)[1] is True


@pytest.mark.parametrize(("same", "open_"), [(19, True), (20, False)])
def test_of_many_behind_a_cue_the_first_twenty_are_looked_at(same, open_):
    body = "best guess: " + " " * 400
    again = [at(1.0, start=i) for i in range(20, 20 + same)]
    assert pick(at(1.0, start=12), *again, at(30.0, start=60), body=body) == (0, open_)


@pytest.mark.parametrize(("letters", "answer"), [(397, "A"), (398, "A?")])
def test_what_follows_a_cue_is_a_remark_if_a_blank_line_ends_400_characters(letters, answer):
    assert chosen("final answer: A" + "y" * letters + "\n\nB") == answer
