"""The chain: what is added, how it is sealed, and what the database refuses."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from hub.audit import chain
from hub.audit.canonical import link_digest
from hub.audit.models import Entry, Personal
from hub.audit.verifying import verify
from tests.factories import make_user


def add(act: str = "tried", **words: Any) -> Entry:
    return chain.append(act=act, actor=words.pop("actor", chain.system("tests")), **words)


@pytest.mark.django_db
def test_entries_follow_each_other_without_a_gap() -> None:
    for number in range(3):
        add(data={"number": number})
    chain.settle()
    first, second, third = Entry.objects.order_by("seq")
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert (first.prev_hash, second.prev_hash, third.prev_hash) == ("", first.hash, second.hash)
    assert third.hash == link_digest(seq=3, at=third.at, prev_hash=second.hash, content=third.content)


@pytest.mark.django_db
def test_a_place_that_somebody_claims_for_an_entry_is_not_taken() -> None:
    Entry.objects.create(
        seq=77, hash="f" * 64, prev_hash="e" * 64, act="forged", actor_kind="system", actor="x", content="c"
    )
    chain.settle()
    entry = Entry.objects.get()
    assert (entry.seq, entry.prev_hash) == (1, "")
    assert entry.hash != "f" * 64


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET act = 'other'",
        "UPDATE audit_entry SET at = now()",
        "UPDATE audit_entry SET data = '{}'",
        "DELETE FROM audit_entry",
    ],
)
@pytest.mark.parametrize("settled", [True, False])
def test_the_database_refuses_to_change_an_entry(statement: str, settled: bool) -> None:
    add(data={"a": 1})
    if settled:
        chain.settle()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        connection.cursor().execute(statement)


@pytest.mark.django_db
def test_a_name_stands_beside_the_chain() -> None:
    user = make_user("ada")
    entry = add(actor=chain.person(user), personal={"address": "192.0.2.7"}, about={77: {"name": "bob"}})
    assert "'ada'" not in str(vars(entry))
    told = {row.person: row.data for row in Personal.objects.filter(entry=entry)}
    assert told == {user.pk: {"name": "ada", "address": "192.0.2.7"}, 77: {"name": "bob"}}


@pytest.mark.django_db
@pytest.mark.parametrize("value", [0.5, datetime(2026, 1, 1, tzinfo=UTC), b"x", {1: 2}, {"a": {1.5}}])
def test_what_would_not_come_back_as_it_went_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        add(data={"value": value})


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        add()
        raise RuntimeError
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_entries_of_many_at_once_make_one_chain() -> None:
    def body(number: int) -> None:
        try:
            for again in range(8):
                with transaction.atomic():
                    add(data={"thread": number, "again": again})
                    add(subject="second")
        finally:
            connection.close()

    threads = [threading.Thread(target=body, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome = verify()
    assert (outcome.fault, outcome.entries) == ("", 80)
