"""What the worldview columns of a source say: whose land a region is, and for whom.

Natural Earth writes for each worldview XX in ``ADM0_A3_XX`` the country that a polygon belongs to
in the view of XX, by its own three-letter codes. A polygon that has no ISO code of its own
(Siachen, Somaliland, Northern Cyprus) belongs to the country that most views name; the views that
name another country are its claims.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geodata.boundaries.building.providers import Layout

Codes = Callable[[str], str | None]


@dataclass(frozen=True)
class Views:
    """The worldview columns of a file's rows; without such columns nothing is claimed.

    Attributes
    ----------
    prefix : str
        What the columns begin with; '' for none.
    codes : callable
        From the three-letter codes of the file to ISO 3166-1 alpha-2, None for others.
    """

    prefix: str
    codes: Codes

    @classmethod
    def of(cls, layout: Layout, records: list[dict[str, Any]], alpha2: Codes) -> Views:
        """Read what the file's own codes mean from the rows that have an ISO code beside them."""
        own: dict[str, str] = {}
        if layout.views:
            for record in records:
                code = alpha2(str(record[layout.country[0]]))
                if code is not None:
                    own.setdefault(str(record[layout.country[-1]]), code)
        return cls(layout.views, lambda text: own.get(text) or alpha2(text))

    def _by_view(self, record: dict[str, Any]) -> dict[str, str | None]:
        if not self.prefix:
            return {}
        return {
            column.removeprefix(self.prefix).lower(): self.codes(str(value))
            for column, value in record.items()
            if column.startswith(self.prefix)
        }

    def country(self, record: dict[str, Any]) -> str | None:
        """Return the country that most views name, None where most name none."""
        counted = Counter(self._by_view(record).values())
        return min(counted, key=lambda code: (-counted[code], code or "")) if counted else None

    def claims(self, record: dict[str, Any], country: str) -> tuple[tuple[str, str], ...]:
        """Return (worldview, code) for the views that name another country."""
        views = self._by_view(record).items()
        return tuple(sorted((view, code) for view, code in views if code not in (None, country)))
