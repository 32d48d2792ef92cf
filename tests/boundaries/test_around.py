"""The region around another's point: the smallest of the same country."""

import numpy as np
import shapely

from geodata.boundaries.building import parents


class Region:
    """What is asked of a region here."""

    def __init__(self, country, *box):
        self.country, self.geometry = country, shapely.box(*box)


def around(rows, above):
    return parents._around(rows, above).tolist()


def test_nothing_is_around_nothing():
    one = Region("CH", 0, 0, 1, 1)
    assert around([], []) == around([], [one]) == []
    assert around([one], []) == [-1]


def test_the_smallest_of_the_same_country_is_around():
    rows = [Region("CH", 1, 1, 2, 2), Region("FR", 1, 1, 2, 2), Region("CH", 50, 50, 51, 51)]
    above = [
        Region("CH", 0, 0, 10, 10), Region("CH", 0, 0, 3, 3), Region("FR", 0, 0, 9, 9),
        Region("CH", 0, 0, 5, 5), Region("DE", 1, 1, 2, 2),
    ]  # fmt: skip
    assert around(rows, above) == [1, 2, -1]
    assert np.array(around(rows, above[:1])).tolist() == [0, -1, -1]
