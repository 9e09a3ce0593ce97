"""PURE: SPDX expressions over our own symbols: an SPDX id where there is one, else ``LicenseRef-<id>``.

A card's identifier (``llama3.1``), an SPDX id and our LicenseRef all name the same licence; what is kept is the
catalogue's id, and what is shown or exported is a valid SPDX expression.
"""

import functools
from collections.abc import Iterable, Mapping

from license_expression import ExpressionError, LicenseExpression, LicenseSymbol, Licensing

from licenses.shipped import shipped_readings
from licenses.terms import Reading

# Longer expressions are not written by people, and take long to read.
MAX_EXPRESSION = 2000


class BadExpression(ValueError):
    """A licence expression cannot be read; the message quotes it and names the fault."""


class Expressions:
    """Reads and writes expressions over one catalogue of readings."""

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self._symbols = {reading.id: reading.symbol for reading in readings.values()}
        self._ids: dict[str, str] = {}
        for reading in readings.values():
            for spelling in (reading.symbol, reading.spdx, reading.id):
                if spelling:
                    self._ids.setdefault(spelling.lower(), reading.id)
        self._licensing = Licensing([LicenseSymbol(symbol) for symbol in set(self._symbols.values())])

    def parse(self, text: str) -> LicenseExpression:
        """Return the parsed expression over SPDX symbols; raises BadExpression for faults and unknown names."""
        if len(text) > MAX_EXPRESSION:
            raise BadExpression(
                f"The licence expression has {len(text)} characters; {MAX_EXPRESSION} are read."
            )
        try:
            parsed = self._licensing.parse(self._in_symbols(text), validate=False, strict=True)
        except (ExpressionError, AttributeError, TypeError, RecursionError) as error:
            raise BadExpression(f"{text[:200]!r} is no licence expression: {error}.") from error
        if parsed is None:
            raise BadExpression("The licence expression is empty; name a licence.")
        if unknown := [str(key) for key in self._licensing.unknown_license_keys(parsed)]:
            raise BadExpression(
                f"{', '.join(unknown)[:200]} is in no licence catalogue here; correct it or add it."
            )
        return parsed

    def ids(self, text: str) -> tuple[str, ...]:
        """Return the catalogue ids that an expression names, in its order and without doubles; raises BadExpression."""
        keys = self._licensing.license_keys(self.parse(text), unique=True)
        return tuple(dict.fromkeys(self._ids[str(key).lower()] for key in keys))

    def has_choice(self, text: str) -> bool:
        """True where the expression offers alternatives, of which a person has to choose; raises BadExpression."""
        return " OR " in str(self.parse(text))

    def _in_symbols(self, text: str) -> str:
        words = text.replace("(", " ( ").replace(")", " ) ").split()
        return " ".join(self._symbols.get(self._ids.get(word.lower(), ""), word) for word in words)


def all_of(ids: Iterable[str], readings: Mapping[str, Reading]) -> str:
    """Return the expression that asks for all of these licences; an id outside the catalogue raises KeyError."""
    return " AND ".join(dict.fromkeys(readings[one].symbol for one in ids)) or "NOASSERTION"


@functools.cache
def shipped_expressions() -> Expressions:
    """Return the expressions over the shipped catalogue."""
    return Expressions(shipped_readings())
