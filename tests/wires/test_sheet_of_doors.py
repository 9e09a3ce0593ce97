"""No namespace can stand in front of a door: every first path segment of the URL sheet is reserved."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from hub.accounts.names import RESERVED_NAMESPACES, RESERVED_REPOS


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for item in resolver.url_patterns:
        route = before + str(item.pattern)
        if isinstance(item, URLPattern):
            yield route
        else:
            yield from routes(item, route)


def words_behind(routes_: list[str], converter: str) -> set[str]:
    behind = [route.split(converter, 1)[1] for route in routes_ if converter in route]
    return {rest.lstrip("/").split("/")[0] for rest in behind if rest.startswith("/")}


def test_first_segments_are_reserved_as_namespaces() -> None:
    first = {route.lstrip("^").split("/")[0] for route in routes(get_resolver())}
    fixed = {segment.lower() for segment in first if segment and "<" not in segment and "(" not in segment}
    assert len(fixed) > 8
    assert fixed <= RESERVED_NAMESPACES, fixed - RESERVED_NAMESPACES


def test_a_repo_cannot_be_called_like_what_stands_behind_a_namespace() -> None:
    # `GET /api/models/single` is an id of one segment, so `/api/models/{one}/{verb}` reads as a repo id as well.
    verbs = words_behind(list(routes(get_resolver())), "<repo:repo>") | {"resolve", "raw"}
    read_twice = {
        verb for verb in verbs if verb and "<" not in verb and verb in ("resolve", "raw", "tree", "commits")
    }
    assert read_twice <= RESERVED_REPOS
