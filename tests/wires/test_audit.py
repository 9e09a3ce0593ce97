"""The audit log and recalls by API."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.accounts.identity import Viewer
from hub.audit import acts, chain
from hub.audit.models import Entry
from hub.catalog.models import PullRecord, Repo
from tests.factories import make_user, with_token
from tests.wires.conftest import Ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff_token() -> str:
    return with_token(make_user("root", staff=True), "read")[1]


def release(repo: Repo, name: str = "") -> Entry:
    data = {"clearance": "clear", "concluded": "MIT", "licenses": ["mit"], "case": "c"}
    label = name or repo.full_name
    entry = chain.append(
        act=acts.CLEARANCE, actor=chain.policy("permissive"), subject=str(repo.pk), label=label, data=data
    )
    chain.settle()
    entry.refresh_from_db()
    return entry


def lines(answer: Any) -> list[str]:
    return [line for line in b"".join(answer.streaming_content).decode().split("\n") if line]


def test_what_was_permitted_is_told_as_json_lines_and_a_table(ask: Ask, repo: Repo, staff_token: str) -> None:
    entry = release(repo)
    answer = ask("GET", "/api/audit/permitted", token=staff_token)
    assert answer.status_code == 200, answer.content
    (one,) = answer.json()["repos"]
    assert (one["id"], one["clearance"], one["concluded"]) == (repo.full_name, "clear", "MIT")
    assert one["decidedBy"] == {"kind": "policy", "name": "policy permissive", "role": ""}
    assert one["entry"] == {"seq": entry.seq, "hash": entry.hash}
    assert ask("GET", "/api/audit/permitted?at=2020-01-01", token=staff_token).json()["repos"] == []
    told = lines(ask("GET", "/api/audit/permitted?format=jsonl", token=staff_token))
    assert json.loads(told[0]) == one
    table = ask("GET", "/api/audit/permitted?format=csv", token=staff_token)
    assert "attachment" in table["Content-Disposition"]
    assert lines(table)[1].startswith(f"{repo.full_name},clear,MIT,policy permissive,policy,,")


def test_a_cell_is_no_formula(ask: Ask, repo: Repo, staff_token: str) -> None:
    release(repo, "=cmd()")
    table = lines(ask("GET", "/api/audit/permitted?format=csv", token=staff_token))
    assert next(csv.reader(io.StringIO(table[1])))[0] == "'=cmd()"


def test_pages_follow_each_other(ask: Ask, repo: Repo, staff_token: str) -> None:
    for number in range(3):
        chain.append(act="tried", actor=chain.system("tests"), data={"n": number})
    chain.settle()
    first = ask("GET", "/api/audit/entries?limit=2", token=staff_token)
    assert [one["data"]["n"] for one in first.json()] == [2, 1]
    target = first["Link"].split(";")[0].strip("<>").removeprefix("http://testserver")
    assert [one["data"]["n"] for one in ask("GET", target, token=staff_token).json()] == [0]
    assert len(lines(ask("GET", "/api/audit/entries?format=jsonl&act=tried", token=staff_token))) == 3
    assert ask("GET", "/api/audit/entries?since=2999-01-01", token=staff_token).json() == []


def test_a_recall_tells_repos_and_pulls(ask: Ask, alice: Viewer, repo: Repo, staff_token: str) -> None:
    PullRecord.objects.create(
        repo=repo, label=repo.full_name, user=alice.user, sha256="a" * 64, day=datetime.now(UTC).date()
    )
    told = ask("GET", f"/api/recall?kind=repo&key={repo.full_name}", token=staff_token).json()
    assert told["repos"][0]["whys"] == [{"why": "itself", "about": repo.full_name}]
    assert (told["people"], told["complete"]) == (1, True)
    assert told["records"][0]["user"] == "alice"
    table = lines(ask("GET", f"/api/recall?kind=digest&key={'a' * 64}&format=csv", token=staff_token))
    assert table[0].startswith("day,firstAt,user,repo,sha256")
    assert f",alice,{repo.full_name},{'a' * 64},,,1," in table[1]


@pytest.mark.parametrize(
    "path", ["audit/permitted", "audit/entries?format=jsonl", "recall?kind=repo&key=a/b"]
)
def test_nobody_else_is_told(ask: Ask, token: str, path: str) -> None:
    assert ask("GET", f"/api/{path}").status_code == 401
    assert ask("GET", f"/api/{path}", token=token).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "audit/permitted?at=soon",
        "audit/permitted?format=xml",
        "audit/entries?since=x",
        "recall?kind=x&key=y",
        "recall",
    ],
)
def test_nonsense_is_refused_with_a_sentence(ask: Ask, staff_token: str, path: str) -> None:
    answer = ask("GET", f"/api/{path}", token=staff_token)
    assert answer.status_code == 400
    assert "must" in answer.json()["error"]


def test_a_recall_holds_what_it_names(ask: Ask, repo: Repo, token: str) -> None:
    writer = with_token(make_user("chief", staff=True))[1]
    body = {"kind": "repo", "key": repo.full_name, "reason": "The steward asked.", "everything": True}
    assert ask("POST", "/api/recall/suspend", body, token=token).status_code == 403
    unexplained = ask("POST", "/api/recall/suspend", {**body, "reason": ""}, token=writer)
    assert (unexplained.status_code, "reason" in unexplained.json()["error"]) == (400, True)
    assert ask("POST", "/api/recall/suspend", body, token=writer).json() == {"suspended": [repo.full_name]}
    repo.refresh_from_db()
    assert repo.clearance == "suspended"
