"""PURE: what one may do with a model under everything that binds it, and whether a given user may."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from licenses.findings import Code, Finding, Severity, in_order
from licenses.lineage import Inherited, Lineage
from licenses.terms import Threshold, Value

EUROPEAN_UNION = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split()
)
_USES: Mapping[str, str] = {
    "commercial": "commercial_use",
    "redistribute": "redistribution",
    "modify": "modification",
}


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: ``country`` as ISO 3166 (empty where unknown), and what is known of their size.

    ``sizes`` holds numbers by metric and window, as in ``{("revenue", "year"): 5_000_000}``.
    """

    country: str = ""
    commercial: bool = False
    sizes: Mapping[tuple[str, str], float] = field(default_factory=dict)


def permitted_uses(lineage: Lineage) -> frozenset[str]:
    """Return the uses that every binding licence allows; what is conditional or unknown is not among them."""
    found = {use for use, key in _USES.items() if lineage.values[key] is Value.YES}
    if lineage.values["field_of_use_restrictions"] is Value.NO:
        found.add("no-field-of-use-limits")
    if lineage.values["geographic_exclusions"] is Value.NO:
        found.add("everywhere")
    return frozenset(found)


def fits(lineage: Lineage, *, monthly_users: float) -> bool | None:
    """Say whether a company of that many users a month is under every threshold of users; None where unknown."""
    if lineage.values["usage_thresholds"] is Value.UNKNOWN:
        return None
    found = [one.threshold for one in lineage.thresholds if one.threshold]
    metrics = ("monthly-active-users", "daily-active-users")
    return all(
        one.value > monthly_users for one in found if one.metric in metrics and one.effect != "display"
    )


def check_use(lineage: Lineage, requester: Requester) -> tuple[Finding, ...]:
    """Return what stands between a user and the model; a finding that blocks refuses, the others are told."""
    return in_order([
        *_where(lineage, requester), *_how_large(lineage, requester), *_what_for(lineage, requester)
    ])  # fmt: skip


def _where(lineage: Lineage, requester: Requester) -> Iterator[Finding]:
    for one in lineage.geography:
        if one.scope and one.modality and one.modality != one.scope:
            continue
        if not requester.country:
            yield _geo(one, Severity.WARN, "Its user's country is not known.")
        elif _inside(requester.country.upper(), one.region):
            yield _geo(one, Severity.BLOCK, f"Nothing is licensed to users in {one.region}.")


def _inside(country: str, region: str) -> bool:
    return country in EUROPEAN_UNION if region == "EU" else country == region


def _geo(one: Inherited, severity: Severity, message: str) -> Finding:
    return Finding(
        Code.GEO, severity, message, "Ask the steward for a licence of your own.",
        one.license, "geographic_exclusions", one.origin,
    )  # fmt: skip


def _how_large(lineage: Lineage, requester: Requester) -> Iterator[Finding]:
    for one in lineage.thresholds:
        if one.threshold is None:
            continue
        size = _size(one.threshold, requester)
        if size is None or size < one.threshold.value:
            continue
        showing = one.threshold.effect == "display"
        yield Finding(
            Code.THRESHOLD, Severity.WARN if showing else Severity.BLOCK,
            f"{one.threshold.metric} of {size:,.0f} reach {one.threshold.value:,} {one.threshold.currency}".strip()
            + f" in {one.license}: {one.threshold.effect}.",
            "Show the required words in the product." if showing else "Ask the steward for a licence of your own.",
            one.license, "usage_thresholds", one.origin,
        )  # fmt: skip


def _size(threshold: Threshold, requester: Requester) -> float | None:
    exact = requester.sizes.get((threshold.metric, threshold.window))
    return requester.sizes.get((threshold.metric, "")) if exact is None else exact


def _what_for(lineage: Lineage, requester: Requester) -> Iterator[Finding]:
    value = lineage.values["commercial_use"]
    if not requester.commercial or value is Value.YES:
        return
    yield Finding(
        Code.FIELD, Severity.INFO if value is Value.CONDITIONAL else Severity.BLOCK,
        f"Commercial use is {'not known to be allowed' if value is Value.UNKNOWN else value}.",
        "Read the conditions before use." if value is Value.CONDITIONAL else "Use another model, or ask the steward.",
        ", ".join(lineage.use_licenses), "commercial_use",
    )  # fmt: skip
