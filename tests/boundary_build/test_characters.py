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
    made = characters.write(tmp_path, tmp_path / "han.csv").read_text(encoding="utf-8")
    assert made == f"variant,simplified\n\u842c,\u4e07\n\u8eca,{last}\n"
