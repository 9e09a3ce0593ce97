"""Xorbs that clients write to the store themselves.  Where that is not offered, the answer is a bare 404.

The client takes nothing else for "send it through the hub", and every other refusal of a grant ends its upload.
"""

import json
import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.catalog import xet_grants, xet_pushes
from hub.catalog.errors import BadRequest, TooLarge
from hub.wires.base import json_answer
from hub.wires.xet.reading import caller_of, check_hash, file_of, not_offered
from hub.wires.xet.views import MAX_XORB, PREFIXES

MAX_ASKED = 4096
_NUMBER = re.compile(r"[0-9]{1,20}")
ALGORITHM = "crc64nvme"


def grant(request: HttpRequest, *, epoch: int, domain: str, prefix: str, name: str) -> HttpResponse:
    """`POST v1/xorb-grants/{prefix}/{xorb}`: 201 with an address to write to, 200 for a xorb that is known."""
    if not xet_grants.are_given() or prefix not in PREFIXES:
        return not_offered(request)
    caller = caller_of(request, epoch=epoch, domain=domain, upload=True)
    check_hash(name)
    with file_of(request, at_most=MAX_ASKED) as (body, _):
        asked = _object(body.read())
    checksum = asked.get("checksum")
    if not isinstance(checksum, dict) or checksum.get("algo") != ALGORITHM:
        # A checksum that is not known here: the client sends the xorb through the hub.
        return not_offered(request)
    xet_pushes.require_room(caller, _length(asked))
    given = xet_grants.grant(caller, name, length=_length(asked), crc64nvme=_value(checksum))
    if given is None:
        return json_answer({})
    return json_answer(
        {"id": given.ticket, "method": "PUT", "url": given.url, "headers": given.headers}, status=201
    )


def commit(
    request: HttpRequest, *, epoch: int, domain: str, prefix: str, name: str, ticket: str
) -> HttpResponse:
    """`POST v1/xorb-commits/{prefix}/{xorb}/grant/{id}`: the xorb was written; 404 asks for another grant."""
    if not xet_grants.are_given() or prefix not in PREFIXES:
        return not_offered(request)
    caller = caller_of(request, epoch=epoch, domain=domain, upload=True)
    return json_answer({"was_inserted": xet_grants.redeem(caller, check_hash(name), ticket)})


def _object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise BadRequest("The body is not a JSON object.")
    return asked


def _length(asked: dict[str, Any]) -> int:
    length = asked.get("length")
    if not isinstance(length, int) or isinstance(length, bool) or length < 1:
        raise BadRequest(f"length is {str(length)[:80]}; expected a number of bytes.")
    if length > MAX_XORB:
        raise TooLarge(f"The xorb has {length} bytes; at most {MAX_XORB} are taken.")
    return length


def _value(checksum: dict[str, Any]) -> int:
    value = checksum.get("value")
    if not isinstance(value, str) or not _NUMBER.fullmatch(value) or int(value) >= 2**64:
        raise BadRequest(
            f"checksum.value is {str(value)[:80]!r}; expected a decimal number below 2 to the 64."
        )
    return int(value)
