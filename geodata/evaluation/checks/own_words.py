"""Compare coordinates with the words beside them: the raw text and the named country."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, finding
from geodata.evaluation.joining import Predictions, check_rows

Resolve = Callable[[str], str | None]
"""Country name -> country code, None if it is no country."""

Label = Callable[[NDArray[np.float64], NDArray[np.float64]], list[str | None]]
"""Latitudes and longitudes, degrees -> country codes, None at sea."""

TEXT_CHARS = 65_536
PARSED_WITHIN_DEGREES = 0.01
_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,20})?", re.ASCII)


def against_words(
    predictions: Predictions,
    max_rows: int,
    *,
    resolve: Resolve | None = None,
    label: Label | None = None,
) -> list[Finding]:
    """Return findings on answers that contradict their own text or named country.

    Parameters
    ----------
    predictions
        An opened file.
    max_rows
        How many rows to look at, from the first.
    resolve, label
        Country code of a name, and of places; `geodata.gazetteer` and `geodata.cor` if None.

    Examples
    --------
    >>> from geodata.evaluation.joining import read_predictions
    >>> table = {"id": ["a"], "lat": [1.5], "lon": [2.5], "raw_text": ["It is (48.86, 2.35)."]}
    >>> [found.code for found in against_words(read_predictions(table), 100)]
    ['not_in_text']
    """
    lat, lon, country, text = _answers(predictions, max_rows)
    looked = f" among the first {max_rows} rows" if len(lat) >= max_rows else ""
    found = _absent(lat, lon, text, looked)
    return found + _against_country(lat, lon, country, looked, resolve, label)


def against_text(predictions: Predictions, max_rows: int) -> list[Finding]:
    """Return a finding on answers in columns that stand nowhere in the words beside them.

    Parameters
    ----------
    predictions, max_rows
        As in `against_words`.
    """
    if predictions.checked_text is None:
        return []
    lat, lon, _, text = _answers(predictions, max_rows)
    return _absent(lat, lon, text, f" among the first {max_rows} rows" * (len(lat) >= max_rows))


def _absent(
    lat: NDArray[np.float64], lon: NDArray[np.float64], text: list[str | None], looked: str
) -> list[Finding]:
    absent = [i for i, words in enumerate(text) if words and not _says(words, lat[i], lon[i])]
    if not absent:
        return []
    return [
        finding(
            "not_in_text",
            "warning",
            f"{len(absent)} answers{looked} appear nowhere in their raw text",
            "Look where these coordinates came from; parse the text again with text=.",
            rows=absent,
        )
    ]


def _answers(
    predictions: Predictions, max_rows: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str | None], list[str | None]]:
    """Return the first rows: answers, named countries, and text where there is an answer."""
    columns, beside = predictions.columns, predictions.checked_text
    if beside is None and columns.text is None and not columns.regions:
        return np.empty(0), np.empty(0), [], []
    lat, lon = [np.empty(0)], [np.empty(0)]
    country: list[str | None] = []
    text: list[str | None] = []
    for batch in predictions.source.batches([*columns.used(), *([beside] if beside else [])]):
        rows = check_rows(batch, columns)
        lat.append(rows.lat)
        lon.append(rows.lon)
        n = batch.table.num_rows
        named = rows.regions.get("country", pa.nulls(n, pa.string())).to_pylist()
        country += [name if y == y else None for name, y in zip(named, rows.lat, strict=True)]
        words = batch.table.column(beside).to_pylist() if beside else [None] * n
        text += [
            _words(value) if y == y else None for value, y in zip(words, rows.lat, strict=True)
        ]
        if len(text) >= max_rows:
            break
    stop = slice(0, max_rows)
    return np.concatenate(lat)[stop], np.concatenate(lon)[stop], country[stop], text[stop]


def _words(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _says(text: str, lat: float, lon: float) -> bool:
    """Return whether both numbers occur in a text, rounded or as a whole answer."""
    written = _NUMBER.findall(text[-TEXT_CHARS:])
    if all(any(_rounds_to(abs(value), number) for number in written) for value in (lat, lon)):
        return True
    from geodata import answers

    answer = answers.parse_tolerant(text)
    read = np.array([answer.lat, answer.lon], np.float64)  # NaN, which is near nothing, for None
    return bool((np.abs(read - (lat, lon)) <= PARSED_WITHIN_DEGREES).all())


def _rounds_to(value: float, number: str) -> bool:
    decimals = len(number.partition(".")[2])
    slack = 0.5 * 10.0**-decimals if decimals else 0.0
    return abs(float(number) - value) <= slack + 1e-9


def _against_country(
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    names: list[str | None],
    looked: str,
    resolve: Resolve | None,
    label: Label | None,
) -> list[Finding]:
    rows = np.array([i for i, name in enumerate(names) if name], np.int64)
    if not len(rows):
        return []
    resolve, label = resolve or country_code, label or country_codes
    codes = {name: resolve(name) for name in {str(names[i]) for i in rows}}
    wanted = np.array([codes[str(names[i])] or "" for i in rows], object)
    rows, wanted = rows[wanted != ""], wanted[wanted != ""]
    here = np.array(label(lat[rows], lon[rows]), object)
    wrong = here != wanted
    rows, wanted = rows[wrong], wanted[wrong]
    turned: dict[int, str] = {}
    for how, y, x in _turns(lat[rows], lon[rows]):
        there = np.array(label(y, x), object)
        for i in np.flatnonzero(there == wanted):
            turned.setdefault(int(rows[i]), how)
    return _country_findings(turned, rows, looked)


def _turns(
    y: NDArray[np.float64], x: NDArray[np.float64]
) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    fits = np.abs(x) <= 90
    return [
        ("sign", y, -x),
        ("sign", -y, x),
        ("sign", -y, -x),
        ("swap", np.where(fits, x, y), np.where(fits, y, x)),
    ]


def _country_findings(
    turned: dict[int, str], wrong: NDArray[np.int64], looked: str
) -> list[Finding]:
    found = []
    for how, code, what in (
        ("sign", "sign_error_country", "once a sign is turned"),
        ("swap", "swapped_country", "once latitude and longitude are swapped"),
    ):
        rows = sorted(row for row, kind in turned.items() if kind == how)
        if rows:
            found.append(
                finding(
                    code,
                    "warning",
                    f"{len(rows)} answers{looked} lie in the country that they name {what}",
                    "South and west are negative, latitude comes first: look how it was parsed.",
                    rows=rows,
                )
            )
    rest = [int(row) for row in wrong if int(row) not in turned]
    if rest:
        found.append(
            finding(
                "other_country",
                "info",
                f"{len(rest)} answers{looked} lie outside the country that they name",
                "Nothing to do if the model contradicts itself.",
                rows=rest[:SHOWN],
                count=len(rest),
            )
        )
    return found


def country_code(name: str) -> str | None:
    """Return the code of a country by any of its names, None if it is none."""
    from geodata import gazetteer

    try:
        place = gazetteer.resolve(name, level="country")
    except (LookupError, ValueError):
        return None
    return None if place is None else place.code


def country_codes(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> list[str | None]:
    """Return the country code of each place, None at sea. Shapes (n,), degrees."""
    from geodata import cor

    codes: list[str | None] = cor.label_table(lat, lon).column("country_code").to_pylist()
    return codes
