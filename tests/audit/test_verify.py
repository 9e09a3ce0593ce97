"""Checking, exporting and erasing."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from hub.audit import chain, erasing, guards
from hub.audit.lines import Wanted, export
from hub.audit.models import Entry, Personal
from hub.audit.reading import setting_at
from hub.audit.verifying import verify
from hub.stack.postgres import APPLICATION
from tests.factories import make_user

ENTRIES = 5
INSERT = """
  INSERT INTO audit_entry (
    at, act, actor_kind, actor, role, subject, label, data, personal, content, prev_hash, hash
  ) VALUES (now(), 'a', 'system', '', '', '', '', '{}', '{}', 'c', '', '')
"""


@pytest.fixture
def ada(db: None) -> Iterator[Any]:
    """Five entries, each by Ada and about Bob, and no pending place."""
    with connection.cursor() as cursor:
        # Off for tests that commit and have to empty their tables; this one is rolled back.
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_not_emptied")
    user = make_user("ada")
    for number in range(ENTRIES):
        chain.append(
            act="tried", actor=chain.person(user), subject="s", data={"n": number, "text": "Übermaß \u2028 🏛"},
            personal={"address": "192.0.2.7"}, about={4711: {"name": "bob"}},
        )  # fmt: skip
    chain.settle()
    yield user


def as_superuser(statement: str, *, trigger: str = "audit_unchanged") -> None:
    """Change the table behind the guards' back, as only its owner can."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE audit_entry DISABLE TRIGGER {trigger}")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE audit_entry ENABLE TRIGGER {trigger}")


def audit(*words: str) -> str:
    output = io.StringIO()
    call_command("audit", *words, stdout=output)
    return output.getvalue()


def test_a_sound_chain_is_said_to_be_sound(ada: Any) -> None:
    outcome = verify()
    assert (outcome.fault, outcome.entries, outcome.personal_kept) == ("", ENTRIES, 2 * ENTRIES)
    assert outcome.head == Entry.objects.get(seq=ENTRIES).hash


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_entry SET label = 'x' WHERE seq = 3", "Entry 3 was changed"),
        ("UPDATE audit_entry SET data = jsonb_set(data, '{n}', '9') WHERE seq = 2", "Entry 2 was changed"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 4", "Entry 4 was changed"),
        ("UPDATE audit_entry SET actor = '1' WHERE seq = 1", "Entry 1 was changed"),
        ("DELETE FROM audit_personal; DELETE FROM audit_entry WHERE seq = 2", "Entry 2 is missing"),
        ("UPDATE audit_entry SET seq = seq - 1 WHERE seq IS NULL OR seq = 1", "Entry 1 is missing"),
        ("UPDATE audit_entry SET prev_hash = '', hash = hash WHERE seq = 5", "Entry 5 does not follow"),
        ("UPDATE audit_personal SET data = '{\"name\": \"eve\"}' WHERE person = 4711", "Entry 1 was changed"),
    ],
)  # fmt: skip
def test_the_first_broken_entry_is_named(ada: Any, statement: str, broken: str) -> None:
    as_superuser(statement)
    assert verify().fault.startswith(broken)
    with pytest.raises(CommandError, match=broken):
        audit("verify")


def test_an_end_that_was_cut_off_shows_by_an_anchor(ada: Any) -> None:
    head = verify().head
    last = Entry.objects.get(seq=ENTRIES)
    Personal.objects.filter(entry=last).delete()
    as_superuser(f"DELETE FROM audit_entry WHERE seq = {ENTRIES}")
    assert verify().fault == ""
    assert "noted elsewhere" in verify({ENTRIES: head}).fault
    assert verify({2: "0" * 64}).fault == "Entry 2 is not the one that was noted elsewhere."


def test_entries_that_were_made_without_triggers_show(ada: Any) -> None:
    as_superuser(INSERT, trigger="audit_sealed")
    assert "without a place" in verify().fault


def test_a_person_can_be_erased_and_the_chain_holds(ada: Any) -> None:
    assert f"from {ENTRIES} entries" in audit("erase", "--user", "ada")
    chain.settle()
    assert set(Personal.objects.values_list("person", flat=True)) == {4711}
    outcome = verify()
    assert (outcome.fault, outcome.personal_kept, outcome.personal_gone) == ("", ENTRIES, ENTRIES)
    assert not outcome.is_unexplained
    assert f"{ENTRIES} erased" in audit("verify")


def test_somebody_without_an_account_is_found_by_the_name_in_the_log(ada: Any) -> None:
    assert erasing.person_called("bob") == 4711
    with pytest.raises(CommandError, match="called carol"):
        audit("erase", "--user", "carol")


def test_personal_fields_that_vanished_by_another_way_show(ada: Any) -> None:
    Personal.objects.filter(person=4711).delete()
    with pytest.raises(CommandError, match=f"of {ENTRIES} entries are gone"):
        audit("verify")


def test_an_export_can_be_checked_without_the_database(ada: Any, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    audit("export", "--personal", "--output", str(file))
    assert f"head {ENTRIES}:" in audit("verify", "--file", str(file))
    lines = file.read_text(encoding="utf-8").split("\n")
    file.write_text("\n".join([lines[0], lines[1].replace('"n":1', '"n":7'), *lines[2:]]), encoding="utf-8")
    with pytest.raises(CommandError, match="Entry 2 was changed"):
        audit("verify", "--file", str(file))
    for damage in ("{", "[]", '{"seq": 1}', "9" * 5000):
        file.write_text(damage, encoding="utf-8")
        with pytest.raises(CommandError, match="line 1 "):
            audit("verify", "--file", str(file))


def test_an_export_tells_of_people_only_when_asked(ada: Any) -> None:
    lines = audit("export").splitlines()
    assert len(lines) == ENTRIES
    assert not any(word in line for word in ('"ada"', "bob", "192.0.2") for line in lines)
    assert json.loads(lines[0])["actor"] == {"kind": "person", "key": str(ada.pk)}


def test_an_export_can_be_narrowed(ada: Any) -> None:
    chain.append(act="review.approve", actor=chain.policy("p"), subject="t")
    chain.settle()
    assert [line["seq"] for line in export(Wanted(act="review."), personal=False)] == [ENTRIES + 1]
    assert [line["seq"] for line in export(Wanted(subject="t"), personal=False)] == [ENTRIES + 1]
    assert [line["seq"] for line in export(Wanted(actor=str(ada.pk)), personal=False)] == [1, 2, 3, 4, 5]
    later = Entry.objects.get(seq=3).at
    assert audit("export", "--until", later.isoformat()).count("\n") == 2
    assert audit("export", "--since", "2999-01-01") == ""


def test_one_role_that_does_everything_is_told_so(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.APPLICATION_DATABASE, "USER", connection.settings_dict["USER"])
    assert "one database role does everything; triggers stand in" in audit("guard")
    assert "Triggers refuse changes" in audit("guard")
    as_superuser("SELECT 1")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_unchanged")
    assert "MISSING OR OFF: audit_unchanged" in audit("guard")
    with pytest.raises(CommandError, match="who switched them off"):
        audit("verify")


def test_a_setting_that_decides_is_written_down_when_it_changes(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, told in (("enforced", True), ("enforced", False), ("advisory", True)):
        monkeypatch.setattr(settings, "HUB_REVIEW", value)
        assert ("HUB_REVIEW is another" in audit("guard")) == told
        chain.settle()
    assert setting_at("HUB_REVIEW", timezone.now()) == "advisory"
    assert setting_at("HUB_REVIEW", Entry.objects.get(seq=1).at) == ""


def test_the_hub_s_role_can_add_entries_and_nothing_else(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        for right in ("TABLES", "SEQUENCES"):
            words = "SELECT, INSERT, UPDATE, DELETE" if right == "TABLES" else "USAGE"
            cursor.execute(f"GRANT {words} ON ALL {right} IN SCHEMA public TO {APPLICATION}")
    assert guards.found().rights == ("UPDATE", "DELETE")
    guards.restrict()
    assert guards.found().rights == ()
    assert "may only read entries and add some" in audit("guard")
    with _as_application() as role:
        role.execute(INSERT)
    assert Entry.objects.get(act="a").seq == Entry.objects.count()
    for statement in (
        "UPDATE audit_entry SET act = 'b'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry CASCADE",
    ):
        with _as_application() as role, pytest.raises(psycopg.errors.InsufficientPrivilege):
            role.execute(statement)


def _as_application() -> "psycopg.Connection[Any]":
    given = connection.settings_dict
    user, password = (str(settings.APPLICATION_DATABASE[key]) for key in ("USER", "PASSWORD"))
    return psycopg.connect(host=given["HOST"], dbname=given["NAME"], user=user, password=password)
