"""Forms of Chinese characters out of two small dictionaries (geodata.boundary_build.characters)."""

import csv

from geodata.boundary_build import characters


def test_a_form_leads_to_one_character_and_nothing_else_is_kept(tmp_path):
    rare = chr(characters.LAST + 2)
    (tmp_path / "TSCharacters.txt").write_text(
        "\u842c\t\u4e07\n"  # one form
        f"\u8eca\t{rare} \u8f66\n"  # the first form is in no name
        f"\u9f98\t{rare}\n"  # no other form is
        "\u9f8d\t\u9f99\u9f99\n"  # two characters are none
        "\u540c\t\u540c\n"  # itself
        "\u842c\u842c\t\u4e07\n"
        f"{rare}\t\u4e07\n",
        encoding="utf-8",
    )
    (tmp_path / "JPVariants.txt").write_text(
        "\u842c\t\u4e07\n"
        "\u570b\t\u56fd\n"  # Japanese only
        "\u5f01\t\u5f02\n\u8fa8\t\u5f02\n",  # a form of two
        encoding="utf-8",
    )
    made = characters.write(tmp_path, tmp_path / "han.csv")
    with made.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["variant", "simplified"],
        ["\u56fd", "\u570b"],
        ["\u842c", "\u4e07"],
        ["\u8eca", "\u8f66"],
    ]


def test_forms_stand_between_blanks_or_tabs_and_in_the_first_plane(tmp_path):
    last, beyond = chr(0xFFFF), chr(0x10000)
    (tmp_path / "TSCharacters.txt").write_text(
        f"\u842c\t{beyond}\t\u4e07\n\u8eca\t{last} \u8f66\n{beyond}\t\u4e07\n", encoding="utf-8"
    )
    (tmp_path / "JPVariants.txt").write_text("", encoding="utf-8")
    made = characters.write(tmp_path, tmp_path / "han.csv").read_bytes().decode()
    assert made == f"variant,simplified\n\u842c,\u4e07\n\u8eca,{last}\n"


def written(folder, simplified, japanese):
    """Return the form of each character in a table of two dictionaries, {key: forms}."""
    for name, rows in (("TSCharacters.txt", simplified), ("JPVariants.txt", japanese)):
        text = "".join(f"{key}\t{forms}\n" for key, forms in rows.items())
        (folder / name).write_text(text, encoding="utf-8")
    made = characters.write(folder, folder / "han.csv").read_text(encoding="utf-8")
    return dict(line.split(",") for line in made.splitlines()[1:])


def test_a_form_of_a_form_leads_to_the_last_and_two_forms_of_each_other_to_none(tmp_path):
    last = chr(0xFFFF)
    found = written(tmp_path, {"a": "b", "b": "c", "x": "y", "y": "x", last: "z"}, {})
    assert found == {"a": "c", "b": "c", last: "z"}


def test_a_japanese_form_is_simplified_unless_it_is_a_form_itself(tmp_path):
    """The form in Japanese stands behind the traditional one; that may be simplified too."""
    assert written(tmp_path, {"t": "s"}, {"t": "j"}) == {"t": "s", "j": "s"}
    assert written(tmp_path, {"t": "s", "j": "k"}, {"t": "j"}) == {"t": "s", "j": "k"}
    assert written(tmp_path, {"t": "s"}, {"t": "s"}) == {"t": "s"}
    # a character among its own forms is no form of itself, nor of two
    assert written(tmp_path, {"t": "s"}, {"t": "j", "j": "j"}) == {"t": "s", "j": "s"}
