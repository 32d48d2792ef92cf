"""The tables of country names, made of small packages: every rule with the rows that it makes."""

import csv
import json

import pytest

from geodata import files
from geodata.boundary_build import country_names, place_names
from geodata.boundary_build.places import write as write_places
from geodata.files import load_arrays
from geodata.gazetteer import hashed, key

from . import world
from .world import place

LANGUAGES = country_names.LANGUAGE_CODES.split()


def cldr(folder, names, *, only=None):
    """Write CLDR's territories: those of a language, or none."""
    for language in only or LANGUAGES:
        path = folder / "main" / language / "territories.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"localeDisplayNames": {"territories": names.get(language, {})}}
        path.write_text(json.dumps({"main": {language: content}}), encoding="utf-8")
    return folder


def listed(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


def test_a_spelling_is_there_once_as_most_languages_have_it():
    found = [("BM", "Bermuda"), ("BM", "BERMUDA"), ("BM", "Bermuda"), ("GI", "Gib"), ("FR", "F")]
    assert country_names.names(found, {"BM", "GI"}) == [("BM", "Bermuda"), ("GI", "Gib")]
    equal = [("BM", "bermuda"), ("BM", "Bermuda")]
    assert country_names.names(equal, {"BM"}) == [("BM", "Bermuda")]
    assert country_names.names([*equal, ("GI", "BERMUDA")], {"BM", "GI"}) == []
    assert country_names.names([*equal, ("GI", "BERMUDA")], {"BM"}) == [("BM", "Bermuda")]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("SAD", False),  # three capitals
        ("Sad", True),
        ("SADE", True),
        ("Sa", False),  # two letters
        ("ЦА", True),  # two of another script
        ("S.A.", False),
    ],
)
def test_abbreviations_are_no_names(name, kept):
    assert country_names.names([("BM", name)], {"BM"}) == ([("BM", name)] if kept else [])


def test_three_letters_are_a_name_if_any_language_writes_them_small():
    assert country_names.names([("BM", "SAD"), ("BM", "Sad")], {"BM"}) == [("BM", "SAD")]


@pytest.mark.parametrize(
    ("code", "name", "readings"),
    [
        ("MM", "Myanmar (Burma)", ["Burma", "Myanmar", "Myanmar (Burma)"]),
        ("NZ", "新西兰（奥特亚罗瓦）", ["奥特亚罗瓦", "新西兰", "新西兰（奥特亚罗瓦）"]),
        ("FK", "Falklands  (Malvinas)", ["Falklands", "Falklands  (Malvinas)", "Malvinas"]),
        ("CD", "Kongo (Kinshasa)", ["Kongo (Kinshasa)"]),
        ("MM", "(Burma)", ["(Burma)"]),
    ],
)
def test_brackets_hold_a_second_name_of_three_countries(code, name, readings):
    assert country_names.names([(code, name)], {code}) == sorted((code, r) for r in readings)


def test_the_table_is_of_all_languages(tmp_path):
    source = cldr(
        tmp_path / "cldr",
        {"en": {"BM": "Bermuda", "BM-alt-short": "Berm"}, "zu": {"BM": "iBermuda", "GI": "iGib"}},
    )
    out = country_names.write(source, {"BM"}, tmp_path / "names.csv")
    assert out == tmp_path / "names.csv"
    assert out.read_bytes() == b"code,name\nBM,Berm\nBM,Bermuda\nBM,iBermuda\n"


def test_the_names_to_show_are_the_usual_ones(tmp_path):
    source = cldr(
        tmp_path / "cldr",
        {
            "zu": {"GI": "iGib", "BM": "iBermuda", "FR": "iFulansi"},
            "en": {"GI-alt-short": "Gib", "BM-alt-variant": "Berm", "BM": "Bermuda"},
        },
    )
    out = country_names.write_languages(source, {"BM", "GI"}, tmp_path / "languages.csv")
    assert out.read_bytes() == (b"language,code,name\nen,BM,Bermuda\nzu,BM,iBermuda\nzu,GI,iGib\n")


def test_the_second_table_has_what_the_first_lacks(tmp_path):
    """Older versions may lack a language; the other package may have several names a country."""
    earlier = [
        cldr(tmp_path / "29", {"de": {"BM": "Bermudas Inseln"}}, only=["de"]),
        cldr(tmp_path / "30", {"fr": {"GI": "Le Rocher", "BM": "Albani"}}, only=["fr"]),
    ]
    langs = tmp_path / "iso" / "langs"
    langs.mkdir(parents=True)
    for language, names in {
        "en": {"BM": "Isle of Bermudez", "GI": "Gibraltar", "FR": "Gaul"},
        "pt": {"GI": ["Gibraltarinho", "Rochedo do Sul"]},
        "xx": {"GI": "Not of our languages"},
    }.items():
        (langs / f"{language}.json").write_text(json.dumps({"countries": names}), encoding="utf-8")
    out = country_names.write_more(earlier, tmp_path / "iso", {"BM", "GI"}, tmp_path / "more.csv")
    assert listed(out) == [
        ("code", "name"),
        ("BM", "Bermudas Inseln"),
        ("BM", "Isle of Bermudez"),
        ("GI", "Gibraltarinho"),
        ("GI", "Le Rocher"),
        ("GI", "Rochedo do Sul"),
    ]


@pytest.mark.parametrize("content", [None, "{", "{}", '{"main": {"en": {}}}'])
def test_a_language_that_is_missing_or_another_file_is_named(tmp_path, content):
    source = cldr(tmp_path / "cldr", {})
    path = source / "main" / "en" / "territories.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(files.FileError, match=r"expected a file of the npm package") as caught:
        country_names.write(source, {"BM"}, tmp_path / "out.csv")
    assert str(caught.value).startswith(f"{path}: cannot be read (")
    assert str(caught.value).endswith("cldr-localenames-full 48.2.0")
    assert not (tmp_path / "out.csv").exists()


# Names of places


def place_index(folder, *places):
    write_places(folder, world.write_gazette(folder / "source.json", places))
    file = load_arrays(place_names.write(folder), verify=True)
    assert file.meta["kind"] == "place keys"
    pairs = zip(file.arrays["key"].tolist(), file.arrays["place"].tolist(), strict=True)
    return list(pairs)


def test_the_index_of_names_tells_a_places_own_name_from_others(tmp_path):
    found = place_index(
        tmp_path,
        place(7, "Köln", 51, 7, "DE", "01", 20_000, ["Cologne", "KOLN", "—", "Köln am Rhein"]),
        place(9, "Cologne", 45, 10, "IT", "01", 9_000, ["Colonia"]),
        place(8, "Rome", 50, 8, "DE", "01", 15_000, ["Roma", "ROMA"]),
    )
    expected = [
        ("Köln", 0), ("Cologne", 1), ("Köln am Rhein", 1), ("Rome", 2), ("Roma", 3), ("Cologne", 4),
    ]  # fmt: skip
    assert found == sorted((hashed(key(name)), at) for name, at in expected)


def test_two_files_of_different_sources_are_refused(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, name in ((one, "Köln"), (other, "Bonn")):
        folder.mkdir()
        place_index(folder, place(7, name, 51, 7, "DE"))
    (one / "places.bin").replace(other / "places.bin")
    with pytest.raises(files.FileError) as caught:
        place_names.write(other)
    told = "places.bin and places_names.bin differ in their source; build both"
    assert str(caught.value) == f"{other}: {told}"
