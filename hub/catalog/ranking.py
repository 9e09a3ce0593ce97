"""The order of what was found: the most relevant first, or the largest by a column; in pages."""

from collections.abc import Sequence

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access, facets, relevance, search
from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo
from hub.catalog.search import RELEVANCE, SORTS, Page, Query
from hub.catalog.seeking import FEW, Hits

# What nobody tells of the words of repos, which may be long.
_UNTOLD = ("text__vector", "text__name", "text__short")


def find(
    viewer: Viewer,
    query: Query,
    *,
    limit: int,
    cursor: str = "",
    found: Hits | None = None,
    columns: Sequence[str] = (),
) -> Page:
    """Return one page in the order asked for; ``found`` is what `search.seek` gave for the query.

    Repos come with their owners and what lists tell of their cards, or with some of their own ``columns`` only.
    Raises BadRequest for a bad sort or cursor.  Relevance is an order of what was typed: without that, it is trending.
    """
    column = SORTS.get(query.sort, "trending" if query.sort == RELEVANCE else "")
    if not column:
        known = ", ".join(sorted([*SORTS, RELEVANCE]))
        raise BadRequest(f"sort must be one of {known}, not {query.sort!r}.")
    if query.typed and found is None:
        found = search.seek(viewer, query, rough=True)
    repos = _readable(access.visible_repos(viewer, query.type), columns)
    if query.sort != RELEVANCE or found is None or not query.typed:
        rare = query.may_be_rare and not facets.are_many(viewer, query)
        return _by_column(search.narrowed(repos, query, found), column, limit, cursor, rare=rare)
    return relevance.page(repos, query, found, limit, cursor)


def _readable(repos: QuerySet[Repo], columns: Sequence[str]) -> QuerySet[Repo]:
    """Return these repos as they are told of, and no more: wide rows take longer to read than to find."""
    if columns:
        return repos.only("downloads", *columns)
    return repos.select_related("namespace", "text").defer(*_UNTOLD)


def _by_column(repos: QuerySet[Repo], column: str, limit: int, cursor: str, *, rare: bool) -> Page:
    if cursor:
        value, pk = search.read_cursor(cursor, 2)
        try:
            repos = search.behind(repos, column, value, pk)
        except (ValueError, TypeError):
            raise search.bad_cursor() from None
    found = _first_of_few(repos, column, limit + 1) if rare else None
    if found is None:
        found = list(repos.order_by(f"-{column}", "pk")[: limit + 1])
    if len(found) <= limit:
        return Page(found)
    value = getattr(found[limit - 1], column)
    shown = value.isoformat() if hasattr(value, "isoformat") else value
    return Page(found[:limit], search.pack_cursor(shown, found[limit - 1].pk))


def _first_of_few(repos: QuerySet[Repo], column: str, most: int) -> list[Repo] | None:
    """Return the first of these repos in the order of a column; None where they are more than `FEW`.

    The database does not know which values are rare.  It would walk through the whole order to find one of them.
    """
    few = repos.order_by().values_list(column, "pk")[: FEW + 1]
    try:
        sql, values = few.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH few(place, id) AS MATERIALIZED ({sql})"  # noqa: S608  What was asked for goes beside it.
            " SELECT id, (SELECT count(*) FROM few) FROM few ORDER BY place DESC, id LIMIT %s",
            [*values, most],
        )
        rows = cursor.fetchall()
    if rows and rows[0][1] > FEW:
        return None
    by_pk = repos.in_bulk([pk for pk, _ in rows]) if rows else {}
    return [by_pk[pk] for pk, _ in rows if pk in by_pk]
