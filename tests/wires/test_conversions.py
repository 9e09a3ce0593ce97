"""Asking for quantizations, looking at them and ending them by the API; who may not, and what they learn."""

import pytest
from pytest_django.fixtures import Settings

from hub.accounts.identity import Viewer
from hub.accounts.models import Token
from hub.catalog import repos
from hub.catalog.models import Job, Repo, TokenScope
from tests.factories import make_organization, make_repo, make_user, with_token, work
from tests.wires.conftest import Ask
from tests.workers.making import ships_of

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/models/alice/ships/convert"
BODY: dict[str, object] = {"types": ["Q8_0"]}


@pytest.fixture
def ships(alice: Viewer) -> Repo:
    return ships_of(alice)


def test_a_conversion_is_asked_for_watched_and_done(ask: Ask, token: str, ships: Repo) -> None:
    asked = ask("POST", URL, {"types": ["Q8_0", "q4_0"]}, token=token)
    told = asked.json()
    assert (asked.status_code, asked["Location"]) == (202, told["url"])
    assert told["url"] == f"http://testserver{URL}/{told['job']}"
    wanted = {
        "state": "waiting",
        "types": ["Q8_0", "Q4_0"],
        "source": "ships-BF16.gguf",
        "commit": ships_head(ships),
    }
    assert told.items() >= {**wanted, "target": "alice/ships-GGUF", "result": {}, "finishedAt": None}.items()
    assert ask("POST", URL, {"types": ["Q4_0", "Q8_0"]}, token=token).json()["job"] == told["job"]
    Job.objects.filter(pk=told["job"]).update(
        state="running",
        result={"bytes": 1, "of": 2, "tensor": 3, "tensors": 35, "secondsLeft": 4},
        progress=0.5,
    )
    running = ask("GET", told["url"].removeprefix("http://testserver"), token=token).json()
    assert (running["state"], running["share"], running["progress"]["tensors"]) == ("running", 0.5, 35)
    Job.objects.filter(pk=told["job"]).update(state="waiting", result={})
    work()
    done = ask("GET", f"{URL}/{told['job']}", token=token).json()
    assert (done["state"], done["share"], done["result"]["repository"]) == ("done", 1.0, "alice/ships-GGUF")
    assert [file["path"] for file in done["result"]["files"]] == ["ships-Q8_0.gguf", "ships-Q4_0.gguf"]
    found = ask("GET", "/api/models/alice/ships-GGUF/tree/main").json()
    assert {"ships-Q8_0.gguf", "ships-Q4_0.gguf", "provenance.json"} <= {entry["path"] for entry in found}


def ships_head(ships: Repo) -> str:
    return Repo.objects.get(pk=ships.pk).head


def test_a_conversion_is_ended_and_stays_ended(ask: Ask, token: str, ships: Repo) -> None:
    job = ask("POST", URL, BODY, token=token).json()["job"]
    for _ in range(2):
        ended = ask("DELETE", f"{URL}/{job}", token=token)
        assert (ended.status_code, ended.json()["state"]) == (200, "cancelled")
    work()
    assert ask("GET", f"{URL}/{job}", token=token).json()["state"] == "cancelled"
    assert ask("GET", "/api/models/alice/ships-GGUF", token=token).status_code == 404


def test_readers_guests_and_narrow_tokens_are_turned_away(
    ask: Ask, alice: Viewer, token: str, foreign_token: str, ships: Repo
) -> None:
    assert alice.user is not None
    narrow, narrow_secret = with_token(alice.user, Token.Kind.FINE_GRAINED)
    other = make_repo(alice, "other")
    assert narrow.token is not None
    TokenScope.objects.create(token=narrow.token, repo=other, permission="write")
    reader = with_token(alice.user, Token.Kind.READ)[1]
    job = ask("POST", URL, BODY, token=token).json()["job"]
    for door in (("POST", URL), ("GET", f"{URL}/{job}"), ("DELETE", f"{URL}/{job}")):
        assert ask(*door, BODY).status_code == 401
        assert [
            ask(*door, BODY, token=bad).status_code for bad in (foreign_token, reader, narrow_secret)
        ] == [403] * 3
    assert Job.objects.get(pk=job).state == Job.State.WAITING
    repos.change_settings(alice, ships, private=True)
    answers = [ask(*door, BODY, token=foreign_token) for door in (("POST", URL), ("GET", f"{URL}/{job}"))]
    assert [(answer.status_code, answer["X-Error-Code"]) for answer in answers] == [(404, "RepoNotFound")] * 2


def test_a_job_is_known_under_its_own_repo_only(ask: Ask, token: str, alice: Viewer, ships: Repo) -> None:
    job = ask("POST", URL, BODY, token=token).json()["job"]
    make_repo(alice, "other")
    inspect = str(Job.objects.filter(kind="inspect").values_list("pk", flat=True)[0])
    for path in (f"/api/models/alice/other/convert/{job}", f"{URL}/{inspect}", f"{URL}/nonsense"):
        assert ask("GET", path, token=token).status_code == 404


def test_what_is_wrong_with_a_wish_is_told_by_its_number(
    ask: Ask, token: str, alice: Viewer, ships: Repo, settings: Settings
) -> None:
    def status(body: dict[str, object]) -> tuple[int, str]:
        answer = ask("POST", URL, body, token=token)
        return answer.status_code, answer.json().get("error", "")

    assert status({})[0] == status({"types": []})[0] == status({"types": "Q8_0"})[0] == 400
    assert status({"types": ["Q9"]}) == (400, status({"types": ["Q9"]})[1])
    assert "Q4_K_M" in status({"types": ["Q9"]})[1]
    assert status({**BODY, "revision": "none"})[0] == 404
    make_repo(alice, "ships-GGUF")
    assert status(BODY)[0] == 409
    assert status({**BODY, "target": "ships-q"})[0] == 202
    settings.HUB_CONVERT_OPEN = 1
    assert status({**BODY, "target": "ships-p"})[0] == 429
    settings.HUB_CONVERT_DISK = 10**18
    assert status({**BODY, "target": "ships-p"})[0] == 507
    make_repo(alice, "table", type_="dataset")
    assert ask("POST", "/api/datasets/alice/table/convert", BODY, token=token).status_code == 400


def test_what_was_made_is_as_hidden_as_its_source(ask: Ask, token: str, alice: Viewer, ships: Repo) -> None:
    ask("POST", URL, BODY, token=token)
    work()
    path = "/alice/ships-GGUF/resolve/main/ships-Q8_0.gguf"
    assert ask("GET", path).status_code == 302
    settings = "/api/models/alice/ships/settings"
    assert ask("PUT", settings, {"gated": "manual"}, token=token).status_code == 200
    assert ask("GET", path)["X-Error-Code"] == "GatedRepo"
    guest = make_user()
    secret = with_token(guest)[1]
    grant = "/api/models/alice/ships/user-access-request/grant"
    assert ask("POST", grant, {"user": guest.username}, token=token).status_code == 200
    assert ask("GET", path, token=secret).status_code == 302
    assert ask("PUT", settings, {"private": True}, token=token).status_code == 200
    assert ask("GET", path, token=with_token(make_user())[1])["X-Error-Code"] == "RepoNotFound"
    own = "/api/models/alice/ships-GGUF/settings"
    assert ask("PUT", own, {"private": False}, token=token).status_code == 400
    moved = {"fromRepo": "alice/ships-GGUF", "toRepo": "alice/boats-GGUF"}
    assert ask("POST", "/api/repos/move", moved, token=token).status_code == 200
    assert (
        ask("DELETE", "/api/repos/delete", {"name": "ships", "type": "model"}, token=token).status_code == 200
    )
    assert ask("GET", "/api/models/alice/boats-GGUF", token=token).status_code == 404


def test_a_move_to_another_namespace_takes_along_what_was_made(
    ask: Ask, token: str, alice: Viewer, ships: Repo
) -> None:
    assert alice.user is not None
    make_organization("lab", admin=alice.user)
    ask("POST", URL, BODY, token=token)
    work()
    body = {"fromRepo": "alice/ships-GGUF", "toRepo": "lab/ships-GGUF"}
    assert ask("POST", "/api/repos/move", body, token=token).status_code == 400
    body = {"fromRepo": "alice/ships", "toRepo": "lab/ships"}
    assert ask("POST", "/api/repos/move", body, token=token).status_code == 200
    assert ask("GET", "/api/models/lab/ships-GGUF").status_code == 200
