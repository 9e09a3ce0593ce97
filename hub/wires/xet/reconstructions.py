"""How files are put together, told to clients that fetch the pieces themselves."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from hub.catalog import xet_pulls
from hub.catalog.errors import NotAllowed
from hub.catalog.xet_pulls import Piece, Plan, SpanTicket
from hub.web import bytes_base
from hub.wires.base import json_answer
from hub.wires.xet.reading import caller_of, check_hash

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")


def first(request: HttpRequest, *, epoch: int, domain: str, name: str) -> HttpResponse:
    """`GET v1/reconstructions/{file}`."""
    plan = _plan(request, epoch, domain, name)
    fetches: dict[str, list[dict[str, Any]]] = {}
    for piece in plan.pieces:
        fetches.setdefault(piece.xorb, []).append(
            {
                "range": {"start": piece.start, "end": piece.end},
                "url": _address(request, piece),
                "url_range": {"start": piece.first_byte, "end": piece.end_byte - 1},
            }
        )
    return json_answer({**_terms(plan), "fetch_info": fetches})


def second(request: HttpRequest, *, epoch: int, domain: str, name: str) -> HttpResponse:
    """`GET v2/reconstructions/{file}`: one address for each piece, because each opens one range only."""
    plan = _plan(request, epoch, domain, name)
    fetches: dict[str, list[dict[str, Any]]] = {}
    for piece in plan.pieces:
        span = {
            "chunks": {"start": piece.start, "end": piece.end},
            "bytes": {"start": piece.first_byte, "end": piece.end_byte - 1},
        }
        fetches.setdefault(piece.xorb, []).append({"url": _address(request, piece), "ranges": [span]})
    return json_answer({**_terms(plan), "xorbs": fetches})


def _plan(request: HttpRequest, epoch: int, domain: str, name: str) -> Plan:
    caller = caller_of(request, epoch=epoch, domain=domain)
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    wanted = (int(match[1]), int(match[2]) if match[2] else None) if match else None
    return xet_pulls.plan(caller, check_hash(name), wanted)


def _terms(plan: Plan) -> dict[str, Any]:
    return {
        "offset_into_first_range": plan.skip,
        "terms": [
            {
                "hash": term.xorb,
                "unpacked_length": term.raw,
                "range": {"start": term.start, "end": term.end},
            }
            for term in plan.terms
        ],
    }


def _address(request: HttpRequest, piece: Piece) -> str:
    return piece.url or bytes_base(request) + reverse("xet:span", kwargs={"ticket": piece.ticket})


def span(request: HttpRequest, *, ticket: str) -> HttpResponseBase:
    """`GET /cas/span/{ticket}`: stored bytes of a xorb through the hub, exactly those that the ticket names."""
    claim = SpanTicket.parse(ticket)
    wanted = f"{claim.start}-{claim.end - 1}"
    if request.headers.get("Range", "").strip() != f"bytes={wanted}":
        raise NotAllowed(f"This link opens bytes {wanted} and nothing else.")
    answer = StreamingHttpResponse(xet_pulls.redeem(claim), status=206)
    answer["Content-Type"] = "application/octet-stream"
    answer["Content-Range"] = f"bytes {wanted}/*"
    answer["Content-Length"] = str(claim.end - claim.start)
    answer["Cache-Control"] = "private, no-store"
    return answer
