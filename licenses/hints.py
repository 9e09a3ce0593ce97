"""PURE: which terms some added words may bear on.  A hint of where to look, never an answer."""

from collections.abc import Collection, Mapping

_WORDS: Mapping[str, Collection[str]] = {
    "commercial_use": (
        "commercial", "commercially", "noncommercial", "profit", "nonprofit", "fee", "fees", "sell", "sale", "revenue",
        "paid",
    ),
    "redistribution": ("distribute", "redistribute", "distribution", "redistribution", "host", "hosting", "sublicense"),
    "modification": ("modify", "modification", "modifications", "derivative", "derivatives", "derived"),
    "derivatives_same_license": ("derivative", "derivatives", "derived", "relicense", "relicensing"),
    "attribution_required": ("display", "prominently", "credit", "attribution", "acknowledge", "built"),
    "notice_file_required": ("notice", "notices"),
    "naming_requirement": ("name", "named", "naming"),
    "acceptable_use_policy": ("policy", "prohibited", "acceptable"),
    "field_of_use_restrictions": (
        "research", "academic", "evaluation", "military", "medical", "weapons", "surveillance", "purposes",
        "prohibited",
    ),
    "geographic_exclusions": ("country", "countries", "territory", "union", "europe", "domiciled", "jurisdiction"),
    "usage_thresholds": ("million", "billion", "monthly", "users", "revenue", "exceeds", "exceeding", "threshold"),
    "output_training_restriction": ("output", "outputs", "train", "training", "distill", "distillation", "improve"),
    "network_clause": ("network", "service", "hosted", "remote"),
    "patent_grant": ("patent", "patents"),
    "trademark": ("trademark", "trademarks", "logo", "brand"),
    "revocable": ("revoke", "revocable", "terminate", "termination", "terminates"),
    "gating_usual": ("consent", "accept", "acceptance", "register", "registration"),
}  # fmt: skip


def touched(words: Collection[str]) -> tuple[str, ...]:
    """Return the terms on which these normalised words may bear."""
    return tuple(term for term, known in _WORDS.items() if not set(known).isdisjoint(words))
