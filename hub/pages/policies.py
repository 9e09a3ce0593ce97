"""Policies and waivers: which rules decide, what a change would do, and what is set aside for whom."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.catalog import shelfkeeping
from hub.catalog.deskcases import find_case
from hub.catalog.errors import EntryNotFound
from hub.pages.reviewdoor import reviewer_page
from hub.pages.saying import said
from licenses.errors import ReviewError
from licenses.models import PolicyRow, WaiverRow
from licenses.policies import open_waivers
from licenses.policy import Action, BadPolicy, known_facts

MAX_CHANGES = 200
MAX_TEXT = 20_000


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def policies(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All policies; a POST switches one on or off."""
    if request.method == "POST":
        row = _row(request.POST.get("policy", ""))
        shelfkeeping.switch_policy(viewer, row=row, enabled=request.POST.get("do") == "on")
        text = _("%(name)s is on.") if request.POST.get("do") == "on" else _("%(name)s is off.")
        messages.success(request, text % {"name": row.slug})
        return HttpResponseRedirect(reverse("pages:review-policies"))
    rows = [(row, _yaml(row.when)) for row in PolicyRow.objects.all()]
    return render(request, "review/policies.html", {"section": "review", "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def policy(request: HttpRequest, viewer: Viewer, slug: str = "") -> HttpResponse:
    """One policy as data: tried first, then kept."""
    row = _row(slug) if slug else None
    if request.method != "POST":
        return _form(request, row, _filled(row))
    filled = {
        key: request.POST.get(key, "")[:MAX_TEXT] for key in ("slug", "title", "action", "scope", "when")
    }
    filled["enabled"] = "on" if request.POST.get("enabled") else ""
    name = row.slug if row else filled["slug"].strip()
    try:
        fields = _fields(request.POST)
        if request.POST.get("do") == "keep":
            shelfkeeping.write_policy(
                viewer, slug=_slug(name), fields=fields, enabled=bool(filled["enabled"])
            )
            messages.success(request, _("%(name)s is kept. What it touches is read again.") % {"name": name})
            return HttpResponseRedirect(reverse("pages:review-policies"))
        changes = shelfkeeping.dry_run(
            viewer, slug=_slug(name), fields=fields, enabled=bool(filled["enabled"])
        )
    except BadPolicy as error:
        return _form(request, row, filled, error=said(error))
    return _form(request, row, filled, changes=changes)


def _row(slug: str) -> PolicyRow:
    row = PolicyRow.objects.filter(slug=slug).first()
    if row is None:
        raise EntryNotFound(f"There is no policy {slug[:60]}.")
    return row


def _slug(name: str) -> str:
    if (
        not name
        or len(name) > 60
        or not all(part.isalnum() for part in name.split("-"))
        or not name.isascii()
    ):
        raise BadPolicy("id: a policy is called by lower-case words with dashes, such as no-research-only.")
    return name.lower()


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=None).strip()


def _filled(row: PolicyRow | None) -> dict[str, str]:
    if row is None:
        return {"slug": "", "title": "", "action": "hold", "scope": "*", "when": "", "enabled": "on"}
    return {
        "slug": row.slug, "title": row.title, "action": row.action, "scope": "\n".join(row.scope),
        "when": _yaml(row.when), "enabled": "on" if row.enabled else "",
    }  # fmt: skip


def _fields(post: QueryDict) -> Mapping[str, Any]:
    """Return a form as a policy's fields; raises BadPolicy for a condition that is no YAML."""
    try:
        when = yaml.safe_load(post.get("when", "")[:MAX_TEXT])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadPolicy(f"when: this is no YAML: {' '.join(str(error).split())[:300]}") from None
    scope = [line.strip() for line in post.get("scope", "")[:MAX_TEXT].splitlines() if line.strip()]
    return {
        "title": post.get("title", "").strip()[:200], "when": when, "scope": scope, "action": post.get("action", ""),
    }  # fmt: skip


def _form(
    request: HttpRequest,
    row: PolicyRow | None,
    filled: Mapping[str, str],
    *,
    error: str = "",
    changes: Any = None,
) -> HttpResponse:
    context = {
        "section": "review", "row": row, "form": filled, "error": error, "facts": known_facts(),
        "actions": list(Action),
        "tried": changes is not None, "changes": (changes or [])[:MAX_CHANGES], "number": len(changes or []),
        "stopped": sum(one.would_stop for one in changes or []),
        "released": sum(one.after.releases and not one.before.releases for one in changes or []),
    }  # fmt: skip
    return render(request, "review/policy.html", context, status=400 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def waivers(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What is set aside; a POST sets a policy aside for a model, or takes that back."""
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _waive(request, viewer))
            return HttpResponseRedirect(reverse("pages:review-waivers"))
        except ReviewError as trouble:
            error = said(trouble)
    asked = request.POST if request.method == "POST" else request.GET
    case = find_case(asked["case"])[0] if asked.get("case") else None
    now = timezone.now()
    context = {
        "section": "review", "rows": open_waivers(now).select_related("by"), "error": error, "case": case,
        "old": _ended(now),
        "policies": PolicyRow.objects.filter(enabled=True, action__in=[Action.BLOCK, Action.HOLD]),
        "chosen": asked.get("policy", ""), "justification": asked.get("justification", ""),
    }  # fmt: skip
    return render(request, "review/waivers.html", context, status=400 if error else 200)


def _ended(now: datetime) -> list[WaiverRow]:
    ended = WaiverRow.objects.exclude(pk__in=open_waivers(now).values("pk"))
    return list(ended.select_related("by").order_by("-pk")[:50])


def _waive(request: HttpRequest, viewer: Viewer) -> str:
    if request.POST.get("do") == "revoke":
        number = request.POST.get("waiver", "")
        row = (
            WaiverRow.objects.filter(pk=int(number)).first()
            if number.isdecimal() and len(number) < 19
            else None
        )
        if row is None:
            raise EntryNotFound("There is no such waiver.")
        shelfkeeping.revoke(viewer, waiver=row)
        return _("%(policy)s counts for %(name)s again.") % {"policy": row.policy, "name": row.label}
    case = find_case(request.POST.get("case", ""))[0]
    days = request.POST.get("days", "")
    row = shelfkeeping.waive(
        viewer, policy=request.POST.get("policy", ""), case=case,
        justification=request.POST.get("justification", "")[:MAX_TEXT],
        days=int(days) if days.isdecimal() and len(days) < 6 else 90,
    )  # fmt: skip
    return _("%(policy)s is set aside for %(name)s until %(day)s.") % {
        "policy": row.policy, "name": row.label, "day": dateformat.format(row.expires_at, _("j M Y")),
    }  # fmt: skip
