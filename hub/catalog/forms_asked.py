"""PURE: the fields that a card asks people to fill in (``extra_gated_fields``), and whether an answer fits.

A field is text, a checkbox, a date, a country (ISO 3166-1 alpha-2) or a choice.  A card may hold anything: what cannot
be read as a field is asked as text.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from licenses.errors import BadAnswer
from licenses.records import Json, clean

TYPES = ("text", "checkbox", "date_picker", "country", "select")
MAX_FIELDS = 30
MAX_NAME = 200
MAX_ANSWER = 2000
MAX_OPTIONS = 300
COUNTRIES = frozenset(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW".split()
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def fields_of(card: Mapping[str, Any]) -> list[Json]:
    """Return what a card asks, each with its name, type and options."""
    told = card.get("extra_gated_fields")
    if not isinstance(told, Mapping):
        return []
    return [_field(str(name), spec) for name, spec in list(told.items())[:MAX_FIELDS]]


def _field(name: str, spec: object) -> Json:
    kind: object = spec
    options: list[str] = []
    if isinstance(spec, Mapping):
        kind = spec.get("type")
        listed = spec.get("options")
        options = [_option(one) for one in listed[:MAX_OPTIONS]] if isinstance(listed, list) else []
    type_ = str(kind) if kind in TYPES else "text"
    if type_ == "select" and not options:
        type_ = "text"
    return {"name": clean(name[:MAX_NAME]), "type": type_, "options": options if type_ == "select" else []}


def _option(one: object) -> str:
    value = one.get("value", one.get("label")) if isinstance(one, Mapping) else one
    return clean(str(value)[:MAX_NAME])


def checked(asked: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers to what was asked, and no others; raises BadAnswer where one is missing or does not fit."""
    return {one["name"]: _answer(one, given.get(one["name"])) for one in asked}


def _answer(asked: Mapping[str, Any], value: Any) -> Any:
    name = asked["name"]
    if asked["type"] == "checkbox":
        if value not in (True, "true", "on", "1", "yes"):
            raise BadAnswer(f"{name}: has to be checked.", name)
        return True
    text = clean(value.strip()) if isinstance(value, str) else ""
    if not text:
        raise BadAnswer(f"{name}: has to be filled in.", name)
    if len(text) > MAX_ANSWER:
        raise BadAnswer(f"{name}: may have {MAX_ANSWER} characters.", name)
    if asked["type"] == "country" and text.upper() not in COUNTRIES:
        raise BadAnswer(
            f"{name}: give a country by its two letters, such as DE or US, not {text[:20]!r}.", name
        )
    if asked["type"] == "date_picker" and not _is_date(text):
        raise BadAnswer(f"{name}: give a date such as 2026-01-31, not {text[:20]!r}.", name)
    if asked["type"] == "select" and text not in asked["options"]:
        raise BadAnswer(f"{name}: choose one of {', '.join(asked['options'][:20])}.", name)
    return text.upper() if asked["type"] == "country" else text


def _is_date(text: str) -> bool:
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
