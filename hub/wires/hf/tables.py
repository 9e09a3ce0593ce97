"""Answers that are tables: query values, CSV, and lines as they come."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from hub.catalog.errors import BadRequest
from hub.catalog.waiting import release_connection

MAX_TEXT = 200


def word(request: HttpRequest, name: str) -> str:
    """Return a query value, without spaces around it and no longer than a name can be."""
    return request.GET.get(name, "").strip()[:MAX_TEXT]


def wanted_format(request: HttpRequest) -> str:
    """Return ``json``, ``csv`` or ``jsonl``; raises BadRequest."""
    found = request.GET.get("format", "json")
    if found not in ("json", "csv", "jsonl"):
        raise BadRequest(f"format must be json, csv or jsonl, not {found[:20]!r}.")
    return found


def csv_answer(columns: Iterable[str], rows: Iterable[list[Any]], name: str) -> StreamingHttpResponse:
    """Return a table with a line of names."""
    return streamed(_csv_lines(columns, rows), "text/csv; charset=utf-8", name)


def _csv_lines(columns: Iterable[str], rows: Iterable[list[Any]]) -> Iterator[str]:
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line(row)


def _csv_line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(cell: Any) -> str:
    """Return a cell that no program for tables takes for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def streamed(lines: Iterable[str], kind: str, name: str) -> StreamingHttpResponse:
    """Return lines as a file to keep, as they come."""
    answer = StreamingHttpResponse(_released(lines), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _released(lines: Iterable[str]) -> Iterator[str]:
    try:
        yield from lines
    finally:
        release_connection()
