"""Users, organizations, likes and access requests by the Hub protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, Organization, User
from hub.catalog import access, consents, gating, likes
from hub.catalog.errors import EntryNotFound, SignInNeeded
from hub.catalog.models import AccessRequest, Repo
from hub.catalog.search import Query, matching
from hub.web import whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.acceptances import word_in
from hub.wires.hf.bodies import AskBody, GrantBody, HandleBody
from hub.wires.hf.reading import checked, get_repo, json_body, page_limit

_ROLES = {"read": "read", "write": "write", "fineGrained": "fineGrained"}


def _signed_in(viewer: Viewer) -> User:
    if viewer.user is None:
        raise SignInNeeded("Invalid user token. Sign in or send a token.")
    return viewer.user


def whoami(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/whoami-v2`."""
    user = _signed_in(viewer)
    memberships = (
        Membership.objects.filter(user=user).select_related("organization").order_by("organization__name")
    )
    answer: dict[str, Any] = {
        "type": "user", "id": f"{user.pk:024x}", "name": user.username, "fullname": user.get_full_name(),
        "email": user.email or None, "emailVerified": bool(user.email), "isPro": False, "canPay": False,
        "avatarUrl": "", "orgs": [_organization(membership) for membership in memberships], "auth": {"type": "session"},
    }  # fmt: skip
    if viewer.token is not None:
        token = {"displayName": viewer.token.name, "role": _ROLES[viewer.token.kind],
                 "createdAt": shapes.iso(viewer.token.created_at)}  # fmt: skip
        answer["auth"] = {"type": "access_token", "accessToken": token}
    return json_answer(answer)


def _organization(membership: Membership) -> dict[str, Any]:
    organization = membership.organization
    return {
        "type": "org", "id": f"{organization.pk:024x}", "name": organization.name,
        "fullname": organization.fullname or organization.name, "roleInOrg": membership.role, "isEnterprise": False,
        "avatarUrl": "", "canPay": False, "periodEnd": None,
    }  # fmt: skip


def _user(name: str) -> User:
    user = User.objects.filter(username__iexact=name, is_active=True).first()
    if user is None:
        raise EntryNotFound("This user does not exist")
    return user


def _count(viewer: Viewer, name: str, type_: str) -> int:
    return matching(viewer, Query(type=type_, author=name)).count()


def user_overview(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """`GET /api/users/{name}/overview`."""
    access.require_welcome(viewer)
    user = _user(name)
    organizations = Organization.objects.filter(members=user).order_by("name")
    return json_answer(
        {
            **shapes.person(user),
            "numModels": _count(viewer, user.username, Repo.Type.MODEL),
            "numDatasets": _count(viewer, user.username, Repo.Type.DATASET),
            "numSpaces": 0, "numDiscussions": 0, "numPapers": 0, "numUpvotes": 0, "numFollowers": 0, "numFollowing": 0,
            "numLikes": likes.likes_of(viewer, user).count(),
            "createdAt": shapes.iso(user.date_joined),
            "orgs": [{"name": item.name, "fullname": item.fullname or item.name} for item in organizations],
        }
    )  # fmt: skip


def _find_organization(name: str) -> Organization:
    organization = Organization.objects.filter(name__iexact=name).first()
    if organization is None:
        raise EntryNotFound("This organization does not exist")
    return organization


def organization_overview(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """`GET /api/organizations/{name}/overview`."""
    access.require_welcome(viewer)
    organization = _find_organization(name)
    return json_answer(
        {
            "name": organization.name, "fullname": organization.fullname or organization.name, "avatarUrl": "",
            "numUsers": organization.members.count(),
            "numModels": _count(viewer, organization.name, Repo.Type.MODEL),
            "numDatasets": _count(viewer, organization.name, Repo.Type.DATASET),
            "numSpaces": 0, "numFollowers": 0, "isFollowing": False, "isVerified": False,
        }
    )  # fmt: skip


def organization_members(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """`GET /api/organizations/{name}/members`."""
    access.require_welcome(viewer)
    members = _find_organization(name).members.filter(is_active=True).order_by("username")
    return json_answer([shapes.person(user) for user in members])


def user_likes(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """`GET /api/users/{name}/likes`."""
    access.require_welcome(viewer)
    limit = page_limit(request, 100)
    start = whole_number(request.GET.get("skip", "")) or 0
    found = list(likes.likes_of(viewer, _user(name))[start : start + limit + 1])
    response = json_answer(
        [
            {
                "createdAt": shapes.iso(item.created_at),
                "repo": {"name": item.repo.full_name, "type": item.repo.type},
            }
            for item in found[:limit]
        ]
    )
    if len(found) > limit:
        response["Link"] = next_link(request, skip=str(start + limit))
    return response


def likers(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`GET .../likers`."""
    found = get_repo(viewer, kind, repo).liked_by.select_related("user").order_by("-created_at")
    return json_answer([shapes.person(item.user) for item in found[: page_limit(request, 100)]])


def like(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../like`."""
    likes.like(viewer, get_repo(viewer, kind, repo))
    return json_answer({})


def unlike(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`DELETE .../like`."""
    likes.unlike(viewer, get_repo(viewer, kind, repo))
    return json_answer({})


def access_requests(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, state: str
) -> HttpResponse:
    """`GET .../user-access-request/{pending|accepted|rejected}`."""
    if state not in AccessRequest.State.values:
        raise EntryNotFound("The states of access requests are pending, accepted and rejected.")
    found = gating.requests_in(viewer, get_repo(viewer, kind, repo), state)
    return json_answer([_access_request(item) for item in found])


def _access_request(item: AccessRequest) -> dict[str, Any]:
    person = {
        "user": item.user.username,
        "fullname": item.user.get_full_name(),
        "avatarUrl": "",
        "isPro": False,
    }
    if not item.granted:
        # Whoever was let in without asking has shown nobody an address.
        person["email"] = item.user.email or None
    return {
        "requestId": str(item.pk),
        "user": person,
        "status": item.state,
        "timestamp": shapes.iso(item.created_at),
        "fields": item.fields,
    }


def handle_access(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../user-access-request/handle`."""
    body = checked(HandleBody, json_body(request))
    gating.handle(
        viewer, get_repo(viewer, kind, repo), state=body["status"], user=body.get("user", ""),
        request_id=body.get("requestId", ""), reason=body.get("rejectionReason") or "",
    )  # fmt: skip
    return json_answer({})


def grant_access(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../user-access-request/grant`."""
    gating.grant(viewer, get_repo(viewer, kind, repo), user=checked(GrantBody, json_body(request))["user"])
    return json_answer({})


def own_repos(request: HttpRequest, viewer: Viewer, *, name: str = "") -> HttpResponse:
    """`GET /api/settings/repositories` and `/api/organizations/{name}/settings/repositories`."""
    owner = name or _signed_in(viewer).username
    found = access.visible_repos(viewer).filter(namespace__key=owner.lower()).order_by("-updated_at")
    return json_answer(
        [
            {
                "id": repo.full_name, "type": repo.type, "updatedAt": shapes.iso(repo.updated_at),
                "visibility": "private" if repo.private else "public", "storage": repo.used_storage,
            }
            for repo in found[:1000]
        ]
    )  # fmt: skip


def ask_access(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../ask-access`: ours; the stock client cannot ask, people do it on the page."""
    body, found = checked(AskBody, json_body(request)), get_repo(viewer, kind, repo)
    answer: dict[str, Any] = {}
    if "key" in body:
        # One call for both: the terms are accepted, and where the owner decides as well, they are asked.
        answer["acceptance"] = str(consents.accept(viewer, found, word_in(request, body)).pk)
    if found.gated or "key" not in body:
        answer["status"] = gating.ask_access(viewer, found, body.get("fields")).state
    return json_answer(answer)


def harnesses(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/agent-harnesses`, which the client asks once a day."""
    return json_answer({"standardEnvVars": [], "harnesses": {}})


def telemetry(request: HttpRequest, viewer: Viewer, **captured: str) -> HttpResponse:
    """`HEAD /api/telemetry/...`: answered, not read."""
    return HttpResponse(status=200)
