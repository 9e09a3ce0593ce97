"""Who asked to pull a gated repo, and what its owners answered."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import acts, chain
from hub.catalog import access, notices
from hub.catalog.errors import BadRequest
from hub.catalog.forms_asked import checked, fields_of
from hub.catalog.lookups import locate_in
from hub.catalog.models import AccessRequest, Repo
from hub.catalog.refs import MAIN
from licenses.records import Json

State = AccessRequest.State


@transaction.atomic
def ask_access(viewer: Viewer, repo: Repo, fields: Mapping[str, Any] | None = None) -> AccessRequest:
    """Ask to pull a gated repo; where the owner has set it to "auto" the answer is yes at once.

    For a repo that was made from another one the question is about that one.  ``fields`` answer what its card asks
    (``extra_gated_fields``); raises BadAnswer where one is missing or does not fit.
    """
    access.require_read(viewer, repo)
    repo = repo.source or repo
    user = access.require_person(viewer, "ask for access")
    if not repo.gated:
        raise BadRequest("This repository is not gated: everyone who can see it can pull it.")
    state = State.ACCEPTED if repo.gated == Repo.Gated.AUTO else State.PENDING
    known = AccessRequest.objects.filter(repo=repo, user=user).first()
    answers = {} if known else checked(asked_by(repo), fields or {})
    request, made = AccessRequest.objects.get_or_create(
        repo=repo, user=user, defaults={"state": state, "fields": answers}
    )
    if made and state == State.ACCEPTED:
        _write_down(user, request)
    if made and state == State.PENDING:
        text = f"{user.username} asks to pull {repo.full_name}."
        notices.notify_all(
            notices.keepers_of(repo), notices.ACCESS_ASKED, repo, text, f"{_path(repo)}/settings/access"
        )
    return request


def _path(repo: Repo) -> str:
    return f"/datasets/{repo.full_name}" if repo.type == Repo.Type.DATASET else f"/{repo.full_name}"


def _tell(request: AccessRequest, repo: Repo) -> None:
    words = {State.ACCEPTED: "You may pull", State.REJECTED: "You were turned down for"}
    if request.state in words:
        text = f"{words[State(request.state)]} {repo.full_name}." + (
            f" {request.reason}" if request.reason else ""
        )
        notices.notify(request.user, notices.ACCESS_DECIDED, repo, text, _path(repo))


def asked_by(repo: Repo) -> list[Json]:
    """Return the fields that a repo's card asks people to fill in."""
    return fields_of(locate_in(repo, MAIN).card)


def requests_in(viewer: Viewer, repo: Repo, state: str) -> list[AccessRequest]:
    """Return the requests in one state, oldest first, for those who manage the repo."""
    access.require_administer(viewer, repo)
    return list(repo.access_requests.filter(state=state).select_related("user").order_by("created_at"))


def _person(name: str) -> User:
    user = User.objects.filter(username__iexact=name, is_active=True).first()
    if user is None:
        raise BadRequest(f"user {name!r} does not exist on this hub.")
    return user


@transaction.atomic
def handle(
    viewer: Viewer, repo: Repo, *, state: str, user: str = "", request_id: str = "", reason: str = ""
) -> None:
    """Accept, reject or put back a request; raises BadRequest when there is none or it is in that state already."""
    access.require_administer(viewer, repo)
    requests = repo.access_requests.select_for_update()
    if request_id:
        request = requests.filter(pk=int(request_id) if request_id.isdigit() else 0).first()
    else:
        request = requests.filter(user=_person(user)).first()
    if request is None:
        raise BadRequest("There is no such access request.")
    if request.state == state:
        raise BadRequest(f"The access request is {state} already.")
    request.state, request.reason = state, reason if state == State.REJECTED else ""
    request.handled_at, request.handled_by = timezone.now(), viewer.user
    request.save(update_fields=["state", "reason", "handled_at", "handled_by"])
    _write_down(viewer.user, request)
    _tell(request, repo)


@transaction.atomic
def grant(viewer: Viewer, repo: Repo, *, user: str) -> None:
    """Let a user pull who has not asked; raises BadRequest when they may already."""
    access.require_administer(viewer, repo)
    if not repo.gated:
        raise BadRequest("This repository is not gated: everyone who can see it can pull it.")
    person = _person(user)
    request = repo.access_requests.select_for_update().filter(user=person).first()
    if request is not None and request.state == State.ACCEPTED:
        raise BadRequest(f"{person.username} has access already.")
    given, _ = AccessRequest.objects.update_or_create(
        repo=repo, user=person,
        defaults={"state": State.ACCEPTED, "granted": True, "handled_at": timezone.now(), "handled_by": viewer.user},
    )  # fmt: skip
    _write_down(viewer.user, given)
    _tell(given, repo)


def _write_down(by: User | None, request: AccessRequest) -> None:
    """Add what became of a request to the audit chain; whom it is about, and the reason, can be erased."""
    about = {"name": request.user.username, **({"reason": request.reason} if request.reason else {})}
    chain.append(
        act=acts.ACCESS_DECIDED, actor=chain.person(by) if by else chain.system("gate"),
        subject=str(request.repo_id), label=request.repo.full_name,
        data={"state": str(request.state), "granted": request.granted, "request": request.pk},
        about={} if by == request.user else {request.user_id: about},
    )  # fmt: skip
