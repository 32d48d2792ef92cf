"""Which language a code means: any case, either dash, and what is more special than the table."""

import pytest

from geodata import cor
from geodata.cor.languages import country_names, language


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        (None, None), ("en", None), ("EN", None), ("en_US", None), ("en-GB-oxendict", None),
        ("ja", "ja"), ("ja_JP", "ja"), ("JA-jp-x-mine", "ja"),
        ("zh", "zh"), ("zh-TW", "zh"), ("zh_hant", "zh-Hant"), ("ZH-HANT-TW", "zh-Hant"),
        ("es-mx", "es-MX"), ("es_419", "es-419"), ("es-AR", "es"), ("sr-latn-rs-x", "sr-Latn"),
    ],
)  # fmt: skip
def test_a_code_means_the_language_that_says_most_of_it(code, meant):
    assert language(code) == meant


@pytest.mark.parametrize("code", ["", "-", "tlh", "e", "xx-ja", "ja "])
def test_a_code_without_names_is_refused_as_it_was_given(code):
    with pytest.raises(ValueError, match="is unknown; choose one of en, af, am, ar") as caught:
        language(code)
    assert str(caught.value).startswith(f"lang {code!r} is unknown")


def test_labels_take_codes_as_systems_write_them():
    assert cor.label(48.8584, 2.2945, lang="zh_Hant").country == country_names("zh-Hant")["FR"]
    table = cor.label_table([48.8584], [2.2945], lang="de_AT")
    assert table["country"].to_pylist() == ["Frankreich"]
