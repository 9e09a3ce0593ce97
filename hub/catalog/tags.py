"""Every tag that public repos carry, by what it says: what a client offers to filter by."""

# ruff: noqa: S608

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F, Func, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access
from hub.catalog.models import Repo

# Of each kind, the most used ones.
MAX_TAGS = 2000
KINDS = ("pipeline_tag", "library", "language", "license", "dataset", "other")
# Tags of one repo each, which no list is narrowed by.
_LEFT_OUT = ("base_model:",)


def tags_by_kind(viewer: Viewer, type_: str) -> dict[str, list[str]]:
    """Return the tags of public repos that the viewer may see, the most used first; a fixed number of queries."""
    repos = access.visible_repos(viewer, type_).filter(private=False).order_by()
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind in ("pipeline_tag", "library"):
        found[kind] = _values(repos, kind)
    found["language"] = _languages(repos)
    known = {tag for tags in found.values() for tag in tags}
    for tag in _tags(repos):
        kind = tag.partition(":")[0] if tag.startswith(("license:", "dataset:")) else "other"
        if tag not in known and not tag.startswith(_LEFT_OUT) and len(found[kind]) < MAX_TAGS:
            found[kind].append(tag)
    return found


def _values(repos: QuerySet[Repo], column: str) -> list[str]:
    counted = repos.exclude(**{column: ""}).values(column).annotate(n=Count("pk")).order_by("-n", column)
    return list(counted.values_list(column, flat=True)[:MAX_TAGS])


def _tags(repos: QuerySet[Repo]) -> list[str]:
    counted = repos.values(tag=Func(F("tags"), function="unnest", set_returning=True)).annotate(n=Count("pk"))
    return list(counted.order_by("-n", "tag").values_list("tag", flat=True)[: len(KINDS) * MAX_TAGS])


def _languages(repos: QuerySet[Repo]) -> list[str]:
    """Return what the cards name as languages; among a repo's tags these look like any other word."""
    try:
        chosen, values = repos.values("pk").query.sql_with_params()
    except EmptyResultSet:
        # A stranger who is kept out sees no repo, which needs no query.
        return []
    sql = (
        "SELECT word FROM catalog_repo r"
        " JOIN catalog_commitrecord c ON c.network_id = r.network_id AND c.oid = r.head"
        " JOIN catalog_card k ON k.id = c.card_id"
        " CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(k.data->'language')"
        " WHEN 'array' THEN k.data->'language' ELSE jsonb_build_array(k.data->'language') END) item"
        " CROSS JOIN LATERAL (SELECT item #>> '{}') text(word)"
        f" WHERE jsonb_typeof(item) = 'string' AND r.tags @> ARRAY[word]::varchar[] AND r.id IN ({chosen})"
        " GROUP BY word ORDER BY count(*) DESC, word LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, MAX_TAGS])
        return [word for (word,) in cursor.fetchall()]
