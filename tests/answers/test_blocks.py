"""A text with one spelling for each mark, and where its answer lies, pattern by pattern."""

import pytest

from geodata.answers import BODY_CHARS, parse_tolerant
from geodata.answers.texts import blocks
from geodata.answers.texts.blocks import (
    answer_span,
    fenced_spans,
    final_turn,
    normalise,
    tail,
    without_thinking,
)
from geodata.answers.texts.names import read_names
from geodata.answers.texts.objects import FENCE
from geodata.answers.texts.spellings import respelt


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("```json```", f"{FENCE}json{FENCE}"), ("**1.5** `x`", "1.5 x"), ("−1.5 – 2", "-1.5 - 2"),
        ("48º 30′ 15″", "48° 30' 15\""), ("1\u00a02\u200b3", "1 23"),
        ("（1，2）：3；4．5", "(1,2):3;4.5"),
        ("北纬48.5度东经2.5度", " N 48.5° E 2.5°"),
        ("남위 33.5도", " S  33.5°"), ("西经7.5", " W 7.5"),
        ("纬度: 1 经度: 2", " latitude : 1  longitude : 2"), ("48度30分15秒", "48°30'15\""),
        ("55.7 с. ш. 37.6 в.д.", "55.7  N  37.6  E "),
        ("1 южной широты, 2 западной долготы", "1  S , 2  W "),
        ("широта 1 долгота 2", " latitude  1  longitude  2"), ("1… 2", "1  2"), ("1...2", "1 2"),
        ("48.5^\\circ \\text{N}", "48.5° N"), ("48.5^{\\circ}\\mathrm{ N}", "48.5° N"),
        ("48.5\\degree", "48.5°"),
        ("$(48.5,\\, 2.5)$", "(48.5,  2.5)"), ("\\left(48.5\\right)", " (48.5 )"),
        ('\\"lat\\"', '"lat"'),
        ("a\\nb", "a\nb"), ("$5", "$5"),
        ("48.5&deg;N&nbsp;&minus;2 &quot;x&quot; 3&#176;", '48.5°N -2 "x" 3°'),
        ("<lat>1.5</lat><lng>2</LNG>", "<lat>1.5; <lng>2; "), ("48.5%2C2.5", "48.5,2.5"),
        ("48.5 ± 0.5, 2", "48.5 , 2"), ("48.5 +/-0.5°", "48.5 "),
        ("48.5 ± 5 km, 2", "48.5 , 2"), ("48.5±1000m", "48.5"), ("48.5 ± 2 miles x", "48.5 x"),
        ("48.5 ± 3 kilometres", "48.5 "), ("48.5 ± 0.1 deg N", "48.5 N"),
        ("48.5 ± 2 mix", "48.5 mix"),
        ("!3d48.5!4d-2.5", " latitude: 48.5 longitude: -2.5 "), ("lat (N): 1", "lat N: 1"),
        ("lat (N) 1", "lat (N) 1"),
        ("48.5\nN,", "48.5 N,"), ("48.5°\n\n N\n", "48.5° N\n"), ("48.5\nN 2", "48.5\nN 2"),
        ("48.5\nN, -2.5", "48.5 N, -2.5"),
        ("N\n48.5\nE\n2.5", "N 48.5, E 2.5"), ("N\n48.5\nE\n2.5\nS", "N\n48.5 E\n2.5 S"),
        ("- 48.5, - 2.5", "-48.5, -2.5"), ("- 48.5, 2.5", "- 48.5, 2.5"),
        ("- 48.5°; - 2.5", "-48.5°; -2.5"),
        ("(- 48.5 , - 2.5)", "(-48.5 , -2.5)"), ("x - 48.5, - 2.5", "x - 48.5, - 2.5"),
        ("48d30m15.5s", "48°30'15.5\""), ("48d 30m 15s", "48°30'15\""),
        ("1.48d30m15s", "1.48d30m15s"),
        ("N 48 30.5", "N 48°30.5'"), ("N48 30.5'", "N 48°30.5'"), ("48 30.5 N", "48°30.5' N"),
        ("48 30.5'N", "48°30.5' N"), ("xN 48 30.5", "xN 48 30.5"), ("N 48 30.5°", "N 48 30.5°"),
        ("48. 85, 2. 35", "48.85, 2.35"), ("48. 85 , -2. 35", "48.85 , -2.35"),
        ("48. 85, 2. 35.1", "48. 85, 2. 35.1"),
        ("48,85, 2,35", "48.85 , 2.35"), ("48,85; -2,35", "48.85 , -2.35"),
        ("48,85 und 2,35", "48.85 , 2.35"),
        ("48,123 and 2,35", "48,123 and 2,35"), ("48,1234 and 2,35", "48.1234 , 2.35"),
        ("48,5 2,3", "48,5 2,3"),
        ("48,5°, 2,3 E", "48.5°, 2.3 E"), ("48,5 degrees", "48.5 degrees"), ("48,5 m", "48,5 m"),
        ("lat: 48,51", "lat: 48.51"), ('"Länge" = "-2,35"', '"Länge" = "-2.35"'),
        ("lat: 48,5", "lat: 48,5"),
        ("lat: 48,51,2", "lat: 48,51,2"), ("foo: 48,51", "foo: 48,51"),
    ],
)  # fmt: skip
def test_each_mark_has_one_spelling(text, plain):
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1. a\n2. b", "- a\n- b"), ("1. a", "1. a"), ("2) a\n3) b\n4) c", "- a\n- b\n- c"),
        ("12. 8584\n2. 2945", "12. 8584\n2. 2945"), ("a) x\nb) y", "- x\n- y"),
        ("1. a\nb) y", "1. a\nb) y"),
        ("> 1. a\n> 2. b", "  - a\n  - b"), ("2. a\n1. b", "2. a\n1. b"),
        ("1. a\n2. b\n9. c", "- a\n- b\n9. c"),
        ("9. c\n1. a\n2. b", "9. c\n- a\n- b"), ("1.a\n2.b", "1.a\n2.b"),
        ("i) a\nj) b", "i) a\nj) b"),
        ("  1. a\n\t2. b", "  - a\n\t- b"), ("x 1. a\nx 2. b", "x 1. a\nx 2. b"),
        ("1. a\n1. b", "1. a\n1. b"),
        ("99. a\n100. b", "99. a\n100. b"), ("0. a\na) b", "0. a\na) b"),
        ("0. a\n1. b", "- a\n- b"),
        ("96. x\na) y", "96. x\na) y"),
    ],
)  # fmt: skip
def test_lines_that_count_upwards_are_a_list(text, plain):
    assert normalise(text) == plain


def test_a_number_that_the_bound_cut_is_no_number():
    end = " " * (BODY_CHARS - len("48.8584, 2.2945"))
    assert parse_tolerant(f"148.8584, 2.2945{end}").lat is None
    assert parse_tolerant(f" 48.8584, 2.2945{end[1:]}").lat == 48.8584
    assert tail("1.5") == "1.5"


def test_a_tail_has_its_numbers_and_its_letters():
    assert tail("short 1 2 3") == "short 1 2 3"
    assert tail("x" * BODY_CHARS + "1") == "x" * (BODY_CHARS - 1) + "1"
    assert tail("12.5" + "x" * (BODY_CHARS - 2)) == "x" * (BODY_CHARS - 2)
    # in pieces of 256 characters, until there are 128 numbers
    assert tail("1x" * 200) == ("1x" * 128)[1:]
    assert tail("1x" * 200 + "xx") == "1x" * 200 + "xx"
    assert blocks.MAX_NUMBERS == 128
    assert tail(" 1" * 1000) == " 1" * 128
    assert tail("1 " * 1000) == " " + "1 " * 127  # the first of them may be cut
    parts = " 1" * 64 + "z" * 128
    assert tail("y" * 600 + parts * 2) == parts * 2
    assert tail("y" * 600 + parts + "z" * 2 + parts) == "y" * 254 + parts + "zz" + parts


@pytest.mark.parametrize(
    ("text", "turn"),
    [
        ("x<|im_start|>assistant A<|im_end|>z", " A"), ("[INST] q [/INST] A </s>", " A "),
        ("a<|start_header_id|>assistant<|end_header_id|>b<|eot_id|>c", "b"),
        ("x<|channel|>final<|message|>A<|return|>", "A"),
        ("<start_of_turn>model\nA<end_of_turn>", "\nA"), ("<|assistant|>A<|endoftext|>", "A"),
        ("[/INST] A [/INST] B", " B"), ("[/INST] A [/INST] ", "[/INST] A [/INST] "),
        ("</s>A", "</s>A"),
        ("A</s>B</s>", "A"), ("plain", "plain"), (" </s>A", " </s>A"),
    ],
)  # fmt: skip
def test_the_last_turn_of_a_transcript(text, turn):
    assert final_turn(text) == turn


@pytest.mark.parametrize(
    "word", ["think", "thinking", "thought", "reasoning", "seed:think", " THINK "]
)
def test_thinking_has_many_names(word):
    assert without_thinking(f"<{word}>a</{word}>b") == ("b", False)
    assert without_thinking(f"x<{word}>a") == ("x", False)


@pytest.mark.parametrize(("start", "end"), [("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"),
                                            ("<|begin_of_thought|>",
                                             "<|end_of_thought|>")])  # fmt: skip
def test_thinking_has_other_marks(start, end):
    assert without_thinking(f"{start}a{end}b") == ("b", False)
    assert without_thinking(f"{start}a{end}") == (" a ", True)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("<answer>a</answer>", "a"), ("<answer>a</answer><answer>b</answer>", "b"),
        ("<answer>a", "a"),
        ("<answer>a</answer><answer> </answer>", "a"), ("<answer> </answer>", None), ("a", None),
        ("< Answer >a</ answer >", "a"),
        ("<|begin_of_solution|>a<|end_of_solution|>", "a"),
        ("<|begin_of_box|>a<|end_of_box|>b", "a"),
        ("<answer>a</answer>" + "<answer></answer>" * 3, "a"),
        ("<answer>a</answer>" + "<answer></answer>" * 4, None),
    ],
)  # fmt: skip
def test_the_last_answer_block_that_is_not_empty(text, inside):
    span = answer_span(text)
    assert (span and text[span[0] : span[1]]) == inside


def test_fenced_blocks_are_told_from_the_last_one():
    text = f"x{FENCE}a{FENCE}y{FENCE}b{FENCE}z"
    assert [text[a:b] for a, b in fenced_spans(text)] == ["b", "a"]
    cut = text[:-2]
    assert [cut[a:b] for a, b in fenced_spans(cut)] == ["b", "a"]
    assert fenced_spans("none") == []
    many = f"{FENCE}a" * 20
    assert len(fenced_spans(many)) == 8


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Enlem: 1, Boylam: 2", "latitude: 1, longitude: 2"),
        ("szélesség 1 hosszúság 2", "latitude 1 longitude 2"),
        ("γεωγραφικό πλάτος 1 μήκος 2", "latitude 1 μήκος 2"),
        ("קו רוחב 1 קו אורך 2", "latitude 1 longitude 2"),
        ("Lengtegraad 1 Breedtegraad 2", "longitude 1 latitude 2"),
        ("breedtegraden 1", "breedtegraden 1"),
        ("1.5lat: 2", "1.5 lat: 2"), ("1.5°Longitude = 2", "1.5° Longitude = 2"),
        ("1.5lat 2", "1.5lat 2"),
        ("48.8512N2.3534E", "48.8512 N, 2.3534 E"), ("48.8512°S 2.3534°W", "48.8512 S, 2.3534 W"),
        ("48.8512N2.3534Ex", "48.8512N2.3534Ex"), ("148.8512N2.3534E", "148.8512 N, 2.3534 E"),
        ("+48.5+002.5", "+48.5, +002.5"), ("-48.5-002.5/", "-48.5, -002.5/"),
        ("+48.5+02.5", "+48.5+02.5"),
        ("1+48.5+002.5", "1+48.5+002.5"), ("np.float64(-1.5e1)", "-1.5e1"),
        ("numpy.float32(2)", "2"),
        ("<b>1</b><td>2</td><br/>3<p class='x'>", "1 | 2 | \n3\n"), ("<H1>x</H1>", "\nx\n"),
        ("<bold>", "<bold>"),
    ],
)  # fmt: skip
def test_labels_tags_and_glued_numbers_are_respelt(text, plain):
    assert respelt(text) == plain


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Country: Peru", ("Peru", None, None)), ("nation = Peru", ("Peru", None, None)),
        ("país: Perú", ("Perú", None, None)),
        ("Country name: Peru", ("Peru", None, None)), ("the country: Peru", (None, None, None)),
        ("State / Province: Ica", (None, "Ica", None)),
        ("administrative region: Ica", (None, "Ica", None)),
        ("admin1: Ica", (None, "Ica", None)), ("admin_level_1: Ica", (None, "Ica", None)),
        ("prefecture: Mie", (None, "Mie", None)),
        ("x\n        1. Prefecture / Administrative Region / Administrative Region  : Mie",
         (None, "Mie", None)),
        ("Nearest city: Lima", (None, None, "Lima")), ("City or town: Lima", (None, None, "Lima")),
        ("village: Ax", (None, None, "Ax")), ("place name: Ax", (None, None, "Ax")),
        ("- City: Lima", (None, None, "Lima")),
        ("2. City: Lima", (None, None, "Lima")), ("(city: Lima)", (None, None, "Lima)")),
        ('{"city": "Lima", "x": 1}', (None, None, "Lima")),
        ("{'city': 'Lima'}", (None, None, "Lima")),
        ("city: Lima, country: Peru", ("Peru", None, "Lima")),
        ("city: Lima; country: Peru", ("Peru", None, "Lima")),
        ("city: Lima, lat: 1", (None, None, "Lima")), ("| City | Lima | x", (None, None, "Lima")),
        ("city: [Lima] x", (None, None, "Lima")), ("city: ['Lima']", (None, None, "Lima")),
        ("city: Lima (sign)", (None, None, "Lima")),
        ("city: Lima (cut", (None, None, "Lima")), ("city: Lima.", (None, None, "Lima")),
        ("city: D.C.", (None, None, "D.C.")),
        ("city: Lima\ncity: Cusco", (None, None, "Cusco")),
        ("city: Lima\ncity: unknown", (None, None, "Lima")),
        ("city:  A   B ", (None, None, "A B")), ("city: []", (None, None, None)),
        ("city: " + "x" * 120, (None, None, "x" * 120)),
        ("city: " + "x" * 121, (None, None, None)),
        ("city>Lima</city>", (None, None, "Lima")), ("<city>Lima</city>", (None, None, "Lima")),
        ("city: \nLima", (None, None, None)),
        ('city: "Lima, x" y', (None, None, "Lima, x")), ('city: "Lima', (None, None, "Lima")),
        ('city: "" x', (None, None, None)), ('city: "Lima" or "Ica"', (None, None, "Lima")),
        ("city: [Lima] or [Ica]", (None, None, "Lima")), ("city: 'Lima", (None, None, "Lima")),
        *((f"city: {word}", (None, None, None)) for word in
          ("Unknown",
           "not sure", "None", "null", "N/A", "na", "no city", "cannot tell", "unable", "?", "...",
           "---", "<city>", "{city}", "[city name]", "tbd", "Undetermined", "unidentified", "nil",
           "City")),
        *((f"city: {word}", (None, None, word)) for word in
          ("Nothingham", "Notting", "Nowra", "Nairobi", "Unna", "Nilsiä")),
    ],
)  # fmt: skip
def test_names_behind_their_keys(text, names):
    assert read_names(text) == names


def test_of_many_keys_the_last_two_hundred_are_looked_at():
    assert read_names("city: Lima\n" + "x: y\n" * 199) == (None, None, "Lima")
    assert read_names("city: Lima\n" + "x: y\n" * 200) == (None, None, None)
