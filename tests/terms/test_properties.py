"""Whatever people do in whatever order: bytes go out only while clearance, consent and membership stand."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership
from hub.accounts.people import set_role
from hub.audit import chain
from hub.catalog import access, clearances, consents, delivery, pulls, suspending, xet_tokens
from hub.catalog.consents import Word
from hub.catalog.errors import AccessRestricted, TermsHeld
from hub.catalog.models import Repo
from hub.catalog.tickets import DownloadTicket, identity_of
from licenses import cases, reviews
from licenses.cases import Found
from licenses.models import Case, Suspension
from licenses.policy import State as Outcome
from licenses.reviews import Answer
from tests.factories import at, make_organization, make_repo, make_viewer, push, push_large
from tests.terms.kit import again, card, case_of, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
WEIGHTS = b"weights " * 10_000
PEOPLE = 2


class Undone(Exception):
    """Ends an example without leaving anything behind."""


class House:
    """A model, the people around it, and beside both what should be so."""

    def __init__(self) -> None:
        self.owner, self.rita, self.boss = make_viewer(), make_viewer(staff=True), make_viewer()
        self.people = [make_viewer() for _ in range(PEOPLE)]
        assert self.boss.user
        self.acme = make_organization("acme", admin=self.boss.user)
        self.repo = make_repo(self.owner)
        self.sha256 = push_large(self.owner, self.repo, "model.bin", WEIGHTS)
        self.begin()

    def begin(self) -> None:
        self.text, self.cleared, self.suspended = -1, False, False
        self.said: dict[int, int] = {}
        self.bound: int | None = None
        self.members: set[int] = set()

    # What people do.

    def change_text(self, version: int) -> None:
        push(self.owner, self.repo, {"LICENSE": b"Text %d." % version, "README.md": card("mit")})
        if version != self.text:
            self.text, self.cleared = version, False

    def review(self, _: int) -> None:
        if self.text < 0:
            return
        repo, now = clearances.lock(str(self.repo.pk)), timezone.now()
        assert repo
        document = {"license": "", "kind": "license", "version": "", "sha256": f"{self.text:064d}", "title": "T",
                    "source": "file", "path": "LICENSE"}  # fmt: skip
        columns = {"texts": [str(self.text)], "licenses": ["mit"], "concluded": "MIT", "consent": [document]}
        case = cases.settle(case=case_of(repo), found=Found(Outcome.HELD, columns, []), now=now)
        if case.state not in (Case.State.APPROVED, Case.State.SUSPENDED):
            assert self.rita.user
            case = reviews.approve(
                case=case, by=self.rita.user, own=False, alone=False, needed=1, answer=Answer(), now=now
            )
            self.cleared = True
        self.cleared = self.cleared or case.state == Case.State.APPROVED
        clearances.write(repo, case, by=chain.system("test"))

    def run_out(self, _: int) -> None:
        """Time passes: first nothing is handed out any more, then the hub notices."""
        past = timezone.now() - timedelta(seconds=1)
        Case.objects.filter(subject=str(self.repo.pk), current=True).update(expires_at=past)
        Repo.objects.filter(pk=self.repo.pk).update(cleared_until=past)
        self.cleared = False
        self.check()
        clearances.expire()
        if case_of(self.repo).state == Case.State.SUSPENDED:
            # A suspended case is looked at again when it is reinstated.
            Case.objects.filter(subject=str(self.repo.pk), current=True).update(expires_at=past)

    def accept(self, who: int) -> None:
        viewer = self.people[who % PEOPLE]
        if self._speak(viewer):
            self.said[who % PEOPLE] = self.text

    def accept_for_all(self, _: int) -> None:
        if self._speak(self.boss, organization="acme", officer="CTO"):
            self.bound = self.text

    def _speak(self, viewer: Viewer, organization: str = "", officer: str = "") -> bool:
        repo = Repo.objects.select_related("namespace", "source").get(pk=self.repo.pk)
        asked = consents.required(viewer, repo)
        if not asked.documents:
            return False
        try:
            word = Word(key=asked.key, shown=asked.shown, organization=organization, officer=officer)
            consents.accept(viewer, repo, word)
        except TermsHeld:
            assert not (self.cleared and not self.suspended)
            return False
        return True

    def withdraw(self, who: int) -> None:
        self._take_back(self.people[who % PEOPLE], "")
        self.said.pop(who % PEOPLE, None)

    def withdraw_for_all(self, _: int) -> None:
        self._take_back(self.boss, "acme")
        self.bound = None

    def _take_back(self, viewer: Viewer, organization: str) -> None:
        for one in consents.mine(viewer).filter(organization=organization, superseded_by=None):
            consents.withdraw(viewer, one.pk)

    def join(self, who: int) -> None:
        user = self.people[who % PEOPLE].user
        assert user
        set_role(organization=self.acme, user=user, role="read")
        self.members.add(who % PEOPLE)

    def leave(self, who: int) -> None:
        Membership.objects.filter(organization=self.acme, user=self.people[who % PEOPLE].user).delete()
        self.members.discard(who % PEOPLE)

    def suspend(self, by_digest: int) -> None:
        if not self.suspended:
            kind = Suspension.Kind.DIGEST if by_digest % 2 else Suspension.Kind.SUBJECT
            key = self.sha256 if by_digest % 2 else str(self.repo.pk)
            suspending.suspend(self.rita, kind=kind, key=key, reason="Stop.")
            self.suspended = True

    def lift(self, _: int) -> None:
        for row in Suspension.objects.filter(lifted_at=None):
            suspending.lift(self.rita, row, reason="Go.")
        self.suspended = False

    # What should be so.

    def may(self, who: int) -> bool:
        consent = self.said.get(who) == self.text or (who in self.members and self.bound == self.text)
        return self.cleared and not self.suspended and consent

    def check(self) -> None:
        repo = Repo.objects.select_related("namespace", "source").get(pk=self.repo.pk)
        for who, viewer in enumerate(self.people):
            ticket = DownloadTicket(str(repo.pk), *identity_of(viewer), self.sha256, "model.bin")
            opened: dict[str, Callable[[], object]] = {
                "address": partial(self._address, viewer, repo),
                "proxied": partial(pulls.redeem, ticket),
                "lfs": partial(pulls.held, viewer, repo, [self.sha256]),
                "chunks": partial(xet_tokens.grant_read, viewer, repo),
            }
            expected = set(opened) if self.may(who) else set()
            assert {name for name, way in opened.items() if self._goes(way)} == expected, (who, vars(self))
            assert access.may_pull(viewer, repo).allowed == self.may(who)

    def _address(self, viewer: Viewer, repo: Repo) -> pulls.Way:
        entry = pulls.open_file(viewer, at(repo), "model.bin")
        assert delivery.mode() == delivery.REDIRECT
        return pulls.way_to(viewer, repo, sha256=entry.sha256, filename="model.bin")

    def _goes(self, way: Callable[[], object]) -> bool:
        with suppress(AccessRestricted):
            # A batch of large files leaves out what is withheld instead of failing.
            return way() != {}
        return False


ACTS = (
    "change_text", "review", "review", "review", "run_out", "accept", "accept", "accept_for_all", "withdraw",
    "withdraw_for_all", "join", "leave", "suspend", "lift",
)  # fmt: skip

BEGINNING = [("change_text", 0), ("review", 0), ("accept", 0), ("accept_for_all", 0), ("join", 1)]


def test_no_byte_goes_out_after_a_clearance_a_consent_or_a_membership_has_ended() -> None:
    house = House()
    again(house.repo)

    @examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2)), min_size=4, max_size=10))
    def tried(steps: list[tuple[str, int]]) -> None:
        house.begin()
        with suppress(Undone), transaction.atomic():
            # Every example begins with one who accepted, and one for whom an officer did.
            for name, number in [*BEGINNING, *steps]:
                getattr(house, name)(number)
                house.check()
            raise Undone

    tried()
