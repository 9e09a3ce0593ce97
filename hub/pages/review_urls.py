"""The pages of reviewers: the desk, policies, waivers, models elsewhere, and the catalogue's readings."""

from django.urls import URLPattern, path

from hub.pages import policies, readings, review

REVIEW: list[URLPattern] = [
    path("review", review.queue, name="review"),
    path("review/policies", policies.policies, name="review-policies"),
    path("review/policies/new", policies.policy, name="review-policy-new"),
    path("review/policies/<slug:slug>/edit", policies.policy, name="review-policy"),
    path("review/waivers", policies.waivers, name="review-waivers"),
    path("review/upstream", readings.upstream, name="review-upstream"),
    path("review/<uuid:case>", review.case, name="review-case"),
    path("review/<uuid:case>/assign", review.assign, name="review-assign"),
    path("review/<uuid:case>/lineage", review.descent, name="review-lineage"),
    path("review/<uuid:case>/text", readings.confirm_text, name="review-text"),
    path("review/licenses/new", readings.add, name="license-new"),
    path("licenses/<seg:license_id>/edit", readings.edit, name="license-edit"),
]
