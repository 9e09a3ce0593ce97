"""People and organizations, as staff looks after them."""

import re

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace, User
from hub.accounts.tokens import create_token, find_token
from hub.audit.models import Entry
from hub.catalog import jobs, stewards, worklists
from hub.catalog.errors import NotAllowed
from hub.catalog.models import Job, Quota
from tests.factories import make_repo
from tests.pages.kit import PASSWORD, logged_in, text_of, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(bob: User) -> Client:
    User.objects.filter(pk=bob.pk).update(is_staff=True, is_superuser=True)
    bob.refresh_from_db()
    return logged_in(bob)


def acts() -> list[tuple[str, dict[str, object]]]:
    return list(Entry.objects.order_by("pk").values_list("act", "data"))


def test_staff_finds_people_and_what_they_hold_and_nobody_else_does(
    staff: Client, lab: User, browser: Client
) -> None:
    Quota.objects.create(namespace=lab.namespace, used=5_000_000, bound=6_000_000)
    assert "5.00 MB of 6.00 MB" in words_of(staff.get("/staff/people?q=ADA@example"))
    assert "Nobody fits" in words_of(staff.get("/staff/people?state=reviewers"))
    assert "lab" in words_of(staff.get("/staff/people?kind=organizations&skip=0"))
    assert "ada" in words_of(staff.get("/staff/people/lab"))
    assert "5.00 MB" in words_of(staff.get("/staff"))
    for path in ("/staff/people", "/staff/people/ada"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, {"do": "staff"}).status_code == 404
    with pytest.raises(NotAllowed):
        stewards.set_staff(Viewer(user=lab), lab, staff=True)


def test_an_account_is_closed_opened_and_given_rights_and_each_is_written_down(
    staff: Client, ada: User
) -> None:
    browser, secret = logged_in(ada), create_token(user=ada, name="t", kind="write")[1]
    page = "/staff/people/ADA"
    for act in ("staff", "reviewer", "not-staff", "not-staff", "close"):
        assert staff.post(page, {"do": act}).status_code == 302
    assert find_token(secret) is None
    assert browser.get("/settings").status_code == 302
    assert staff.post(page, {"do": "link"}).status_code == 400
    assert staff.post(page, {"do": "open"}).status_code == 302
    assert find_token(secret) is not None
    assert acts() == [
        ("reviewer.changed", {"reviewer": False, "staff": True}),
        ("reviewer.changed", {"reviewer": True, "staff": True}),
        ("reviewer.changed", {"reviewer": True, "staff": False}),
        ("account.changed", {"active": False}),
        ("account.changed", {"active": True}),
    ]
    link = re.search(r"/password/reset/[^<]+", text_of(staff.post(page, {"do": "link"})))
    assert link is not None
    assert Client().get(link[0], follow=True).status_code == 200
    assert acts()[-1] == ("account.link", {})


def test_staff_invites_people_by_a_link_that_sets_their_password_once(staff: Client, browser: Client) -> None:
    page, asked = "/staff/people/invite", {"name": "kim", "fullname": "Kim Ito", "email": ""}
    assert browser.get(page).status_code == browser.post(page, asked).status_code == 404
    assert "is taken" in words_of(staff.post(page, asked | {"name": "BOB"}))
    link = re.search(r"/password/reset/[^<]+", text_of(staff.post(page, asked)))
    assert link is not None
    assert acts() == [("account.made", {}), ("account.link", {})]
    guest = Client()
    form = guest.get(link[0], follow=True)
    assert "Your user name is kim" in words_of(form)
    new = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert guest.post(form.request["PATH_INFO"], new).status_code == 302
    assert guest.login(username="kim", password=PASSWORD)
    assert "This link was used" in words_of(Client().get(link[0], follow=True))


def test_nobody_locks_themselves_out(staff: Client, bob: User, ada: User) -> None:
    for act in ("close", "not-staff"):
        assert staff.post("/staff/people/bob", {"do": act}).status_code == 400
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    ada.refresh_from_db()
    stewards.set_staff(Viewer(user=bob), ada, staff=False)
    # Whoever was put out a moment ago puts out nobody.
    with pytest.raises(NotAllowed):
        stewards.set_active(Viewer(user=ada), bob, active=False)
    assert User.objects.get(pk=bob.pk).is_staff


def test_a_bound_is_set_and_taken_back(staff: Client, ada: User) -> None:
    page = "/staff/people/ada"
    for gb in ("", "much", "-1", "0", "NaN", "1e400", "1e99"):
        assert staff.post(page, {"do": "bound", "which": "own", "gb": gb}).status_code == 400
    for asked, bound in (
        ({"which": "own", "gb": "0,5"}, 500_000_000),
        ({"which": "none"}, 0),
        ({"which": "default"}, None),
    ):
        assert staff.post(page, {"do": "bound", **asked}).status_code == 302
        assert Quota.objects.get(namespace=Namespace.objects.get(user=ada)).bound == bound
    assert [data["bound"] for act, data in acts()] == [500_000_000, 0, None]


def test_organizations_are_made_by_whom_the_hub_lets(
    staff: Client, browser: Client, settings: pytest.FixtureRequest
) -> None:
    settings.HUB_ORGANIZATIONS = "staff"  # type: ignore[attr-defined]
    assert browser.get("/organizations/new").status_code == 403
    assert browser.post("/organizations/new", {"name": "crew"}).status_code == 403
    assert "New organization" not in words_of(browser.get("/settings"))
    assert staff.post("/organizations/new", {"name": "crew"}).status_code == 302


def test_the_rare_things_are_looked_at_and_strangers_log_in_at_the_hub(
    staff: Client, browser: Client, ada: User
) -> None:
    for model in (
        "accounts/user",
        "accounts/token",
        "catalog/repoblob",
        "catalog/quota",
        "storage/xorb",
        "audit/entry",
    ):
        page = staff.get(f"/-/admin/{model}/?q=a")
        assert page.status_code == 200
        assert "/add/" not in text_of(page)
    # Rights are not given there, where nothing would be written down.
    answer = staff.post(
        f"/-/admin/accounts/user/{ada.pk}/change/", {"fullname": "Ada", "email": "", "is_staff": "on"}
    )
    assert answer.status_code == 302
    assert not User.objects.get(pk=ada.pk).is_staff
    assert Client().get("/-/admin/", follow=True).redirect_chain[-1][0].startswith("/login?next=")
    assert Client().post("/-/admin/login/", {"username": "bob", "password": PASSWORD}).status_code == 302
    assert browser.get("/-/admin/", follow=True).status_code == 403


def test_only_conversions_are_asked_for_again_by_people(ada: User, bob: User) -> None:
    repo = make_repo(Viewer(user=ada))
    proof = jobs.ask(kind="prove-chunks", subject="two", repo=repo, payload={"user": ada.pk})
    Job.objects.filter(pk=proof.pk).update(state="failed")
    proof.refresh_from_db()
    with pytest.raises(NotAllowed):
        worklists.repeat(Viewer(user=ada), proof)
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.refresh_from_db()
    assert worklists.repeat(Viewer(user=bob), proof).payload == {"user": ada.pk}


def test_who_may_no_longer_know_of_a_repo_learns_nothing_of_it_by_a_job(bob: User, ada: User) -> None:
    repo = make_repo(Viewer(user=ada), private=True)
    jobs.ask(kind="prove-chunks", subject="three", repo=repo, payload={"user": bob.pk})
    assert not worklists.visible(Viewer(user=bob)).exists()
