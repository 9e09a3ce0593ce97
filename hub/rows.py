"""Rows of hand-written SQL, read back as models.

Django takes a few hundred microseconds to put together a query with joins, again at each call.  The few queries that
every request makes are written by hand instead; what they find are the same objects.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class Columns(Generic[Row]):
    """The columns of a table under an alias: ``sql`` for the SELECT, `read` for what came back."""

    def __init__(self, model: type[Row], alias: str) -> None:
        self.model = model
        self.alias = alias

    @cached_property
    def _fields(self) -> list["models.Field[Any, Any]"]:
        fields = list(self.model._meta.concrete_fields)
        converted = [field.name for field in fields if hasattr(field, "from_db_value")]
        if converted:
            raise TypeError(f"{self.model.__name__} has fields that Django converts: {', '.join(converted)}.")
        return fields

    @cached_property
    def _names(self) -> list[str]:
        return [field.attname for field in self._fields]

    @cached_property
    def sql(self) -> str:
        """Every column, in the order in which `read` takes them."""
        return ", ".join(f'{self.alias}."{field.column}"' for field in self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def read(self, values: Sequence[Any]) -> Row:
        """Return the object of a row."""
        return self.model.from_db("default", self._names, values)
