"""The rows of this room: the catalogue, and what people decided and agreed to."""

from licenses.models.catalogue import Alias, Answer, Document, License, Term, Threshold, Trust, UpstreamModel
from licenses.models.decisions import Acceptance, Case, Decision, PolicyRow, Suspension, WaiverRow

__all__ = [
    "Acceptance",
    "Alias",
    "Answer",
    "Case",
    "Decision",
    "Document",
    "License",
    "PolicyRow",
    "Suspension",
    "Term",
    "Threshold",
    "Trust",
    "UpstreamModel",
    "WaiverRow",
]
