"""How files are told to be put together, to whom, and what the addresses open."""

import json
import time
from typing import Any

import pytest
from django.test import override_settings

from hub.accounts.identity import Viewer
from hub.accounts.models import Token
from hub.catalog import gating, xet_tokens
from hub.catalog.models import Repo
from hub.catalog.names import FilePath
from hub.catalog.operations import AddLarge
from storage import dedup
from storage.models import Xorb
from storage.xet.hashes import to_text
from storage.xet.xorbs import read_xorb
from tests.factories import commit_all, make_repo, make_viewer, push_large, with_token
from tests.wires.conftest import Ask
from tests.wires.xet.cas import Cas, Goods, cas_for, fetch, pieces

GOODS = Goods.of(pieces(20, count=6))
SIZE = 20_000


@pytest.fixture
def cas(ask: Ask, alice: Viewer, repo: Repo, token: str) -> Cas:
    """A writer whose file lies in the repo."""
    cas = cas_for(ask, repo.full_name, token)
    cas.send(GOODS)
    assert cas.register(GOODS) == (200, "")
    commit_all(alice, repo, [AddLarge(FilePath.parse("w.bin"), GOODS.sha256, len(GOODS.content))])
    return cas


def rebuilt(cas: Cas, told: dict[str, Any]) -> bytes:
    """Fetch what a v2 answer names, as the client does, and return the bytes behind its offset."""
    chunks: dict[tuple[str, int], bytes] = {}
    for name, fetches in told["xorbs"].items():
        for item in fetches:
            (span,) = item["ranges"]
            wanted = f"bytes={span['bytes']['start']}-{span['bytes']['end']}"
            data = get(cas, item["url"], wanted)
            assert data[0] == 206
            found, _ = read_xorb(data[1])
            assert len(found) == span["chunks"]["end"] - span["chunks"]["start"]
            for number, chunk in enumerate(found, start=span["chunks"]["start"]):
                chunks[name, number] = data[1][chunk.start + 8 : chunk.end]
    parts = [
        b"".join(chunks[term["hash"], at] for at in range(term["range"]["start"], term["range"]["end"]))
        for term in told["terms"]
    ]
    assert [len(part) for part in parts] == [term["unpacked_length"] for term in told["terms"]]
    return b"".join(parts)[told["offset_into_first_range"] :]


def get(cas: Cas, url: str, wanted: str | None) -> tuple[int, bytes]:
    if "/cas/span/" not in url:
        return fetch(url, **({"Range": wanted} if wanted else {}))
    meta = {"HTTP_RANGE": wanted} if wanted else {}
    answer = cas.ask("GET", "/cas/span/" + url.rpartition("/")[2], **meta)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, body


@pytest.mark.parametrize("delivery", ["redirect", "proxy"])
@pytest.mark.parametrize(
    "wanted",
    [None, (0, 0), (0, 10), (SIZE - 1, SIZE), (SIZE, 2 * SIZE - 1), (55_555, 99_999), (6 * SIZE - 1, 10**12)],
)
def test_a_range_is_put_together_from_the_chunks_that_hold_it(
    cas: Cas, delivery: str, wanted: tuple[int, int] | None
) -> None:
    with override_settings(HUB_DELIVERY=delivery):
        meta = {"HTTP_RANGE": f"bytes={wanted[0]}-{wanted[1]}"} if wanted else {}
        told = cas.plan(GOODS, **meta).json()
        start, stop = (wanted[0], min(wanted[1] + 1, 6 * SIZE)) if wanted else (0, 6 * SIZE)
        assert rebuilt(cas, told)[: stop - start] == GOODS.content[start:stop]
        assert sum(term["unpacked_length"] for term in told["terms"]) < stop - start + 2 * SIZE
        older = cas.plan(GOODS, "v1", **meta).json()
        assert older["terms"] == told["terms"]
        assert list(older["fetch_info"]) == list(told["xorbs"])


def test_past_the_end_is_416(cas: Cas) -> None:
    answer = cas.plan(GOODS, HTTP_RANGE=f"bytes={6 * SIZE}-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{6 * SIZE}")


@pytest.mark.parametrize("delivery", ["redirect", "proxy"])
def test_an_address_opens_its_range_and_no_other(cas: Cas, delivery: str) -> None:
    with override_settings(HUB_DELIVERY=delivery):
        told = cas.plan(GOODS, HTTP_RANGE=f"bytes=0-{SIZE - 1}").json()
        ((item,),) = told["xorbs"].values()
        end = item["ranges"][0]["bytes"]["end"]
        assert end < 2 * SIZE
        assert get(cas, item["url"], f"bytes=0-{end}")[0] == 206
        for other in (None, f"bytes=0-{end + 1}", f"bytes={end}-{2 * SIZE}", "bytes=0-", "bytes=0-0"):
            assert get(cas, item["url"], other)[0] == 403, other


def test_a_file_is_told_only_for_the_repo_that_holds_it(
    ask: Ask, cas: Cas, alice: Viewer, token: str
) -> None:
    beside = make_repo(alice)
    elsewhere = cas_for(ask, beside.full_name, token)
    assert elsewhere.plan(GOODS).status_code == 404
    assert cas.plan(Goods.of(pieces(21))).status_code == 404


def test_the_gate_is_asked_at_every_call(ask: Ask, cas: Cas, repo: Repo, foreign_token: str) -> None:
    reading = cas_for(ask, repo.full_name, foreign_token, right="read")
    stranger = cas_for(ask, repo.full_name, "", right="read")
    with override_settings(HUB_DELIVERY="proxy"):
        url = reading.plan(GOODS).json()["xorbs"][GOODS.name][0]["url"]
        whole = f"bytes=0-{len(GOODS.stored) - 1}"
        assert get(reading, url, whole)[0] == 206
        assert stranger.plan(GOODS).status_code == 200
        Repo.objects.filter(pk=repo.pk).update(gated="manual")
        assert (reading.plan(GOODS).status_code, stranger.plan(GOODS).status_code) == (403, 403)
        assert get(reading, url, whole)[0] == 403
        Repo.objects.filter(pk=repo.pk).update(gated="", private=True)
        assert reading.plan(GOODS).status_code == 403
        assert get(reading, url, whole)[0] == 403
    assert ask("GET", f"/api/models/{repo.full_name}/xet-read-token/main").status_code == 401
    assert (
        ask("GET", f"/api/models/{repo.full_name}/xet-read-token/main", token=foreign_token).status_code
        == 404
    )


def test_a_gated_repo_gives_no_token_to_who_may_not_pull(
    ask: Ask, cas: Cas, alice: Viewer, repo: Repo, foreign_token: str
) -> None:
    Repo.objects.filter(pk=repo.pk).update(gated="manual")
    address = f"/api/models/{repo.full_name}/xet-read-token/main"
    refused = ask("GET", address, token=foreign_token)
    assert (refused.status_code, refused["X-Error-Code"]) == (403, "GatedRepo")
    gating.grant(alice, Repo.objects.get(pk=repo.pk), user="bob")
    assert cas_for(ask, repo.full_name, foreign_token, right="read").plan(GOODS).status_code == 200


def test_a_reader_uploads_nothing(ask: Ask, alice: Viewer, cas: Cas, repo: Repo, token: str) -> None:
    reading = cas_for(ask, repo.full_name, token, right="read")
    assert reading.send(GOODS).status_code == 403
    assert reading.register(GOODS)[0] == 403
    assert reading.known(to_text(GOODS.xorb.chunks[0][0])).status_code == 404
    assert alice.user is not None
    _, only_reads = with_token(alice.user, Token.Kind.READ)
    assert (
        ask("GET", f"/api/models/{repo.full_name}/xet-write-token/main", token=only_reads).status_code == 403
    )


def test_a_guest_may_propose_but_names_and_learns_nothing_of_the_namespace(
    ask: Ask, cas: Cas, repo: Repo, foreign_token: str
) -> None:
    address = f"/api/models/{repo.full_name}/xet-write-token/main"
    assert ask("GET", address, token=foreign_token).status_code == 403
    guest = cas_for(ask, repo.full_name, foreign_token, query="?create_pr=1")
    assert guest.place != cas.place
    assert guest.known(to_text(GOODS.xorb.chunks[0][0])).status_code == 404
    status, problem = guest.register(GOODS)
    assert (status, "not known here" in problem) == (400, True)
    # His token opens his own domain only.
    assert Cas(ask, cas.place, guest.token).register(GOODS)[0] == 403
    # Whoever has the bytes may have them here too, and is told that they were new.
    assert guest.send(GOODS).json() == {"was_inserted": True}
    assert guest.register(GOODS) == (200, "")
    assert len(set(Xorb.objects.values_list("domain", flat=True))) == 2


def test_tokens_are_bound_to_repo_person_and_epoch(
    ask: Ask, cas: Cas, alice: Viewer, repo: Repo, token: str
) -> None:
    assert Cas(ask, cas.place, "").plan(GOODS).status_code == 401
    assert Cas(ask, cas.place, token).plan(GOODS).status_code == 401
    assert Cas(ask, cas.place, cas.token[:-2] + "AA").plan(GOODS).status_code == 401
    assert Cas(ask, cas.place.replace("/e1/", "/e2/"), cas.token).plan(GOODS).status_code == 403
    dedup.raise_epoch()
    assert cas.send(GOODS).status_code == 403
    fresh = cas_for(ask, repo.full_name, token)
    assert fresh.place == cas.place.replace("/e1/", "/e2/")
    assert fresh.send(GOODS).status_code == 200
    Token.objects.all().delete()
    assert fresh.plan(GOODS).status_code == 403


def test_a_late_token_is_honoured_for_hours_and_then_not(cas: Cas, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    late = xet_tokens.TOKEN_SECONDS + 10 * 3600
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + late)
    assert cas.plan(GOODS).status_code == 200
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + late + 3 * 3600)
    assert cas.plan(GOODS).status_code == 401


def test_a_damaged_xorb_is_never_told_of(cas: Cas, ask: Ask, repo: Repo) -> None:
    Xorb.objects.update(state="damaged")
    assert cas.plan(GOODS).status_code == 404
    assert cas.known(to_text(GOODS.xorb.chunks[0][0])).status_code == 404
    assert cas.register(GOODS)[0] == 400


@pytest.mark.parametrize("wanted", [None, "bytes=0-0", "bytes=30000-70000", "bytes=-5"])
def test_clients_without_chunks_get_the_decoded_bytes(
    ask: Ask, cas: Cas, repo: Repo, wanted: str | None
) -> None:
    found = ask("GET", f"/{repo.full_name}/resolve/main/w.bin")
    assert found.status_code == 302
    assert found["X-Xet-Hash"] == GOODS.file_name
    meta = {"HTTP_RANGE": wanted} if wanted else {}
    answer = ask("GET", "/bytes/get/" + found["Location"].rpartition("/")[2], **meta)
    whole = GOODS.content
    parts = {
        None: whole,
        "bytes=0-0": whole[:1],
        "bytes=30000-70000": whole[30000:70001],
        "bytes=-5": whole[-5:],
    }
    assert b"".join(answer.streaming_content) == parts[wanted]
    assert answer.status_code == (206 if wanted else 200)


def test_lfs_clients_are_offered_what_came_as_chunks(ask: Ask, cas: Cas, repo: Repo, token: str) -> None:
    body = {"operation": "download", "objects": [{"oid": GOODS.sha256, "size": len(GOODS.content)}]}
    told = json.loads(ask("POST", f"/{repo.full_name}.git/info/lfs/objects/batch", body, token=token).content)
    href = told["objects"][0]["actions"]["download"]["href"]
    answer = ask("GET", "/bytes/get/" + href.rpartition("/")[2])
    assert b"".join(answer.streaming_content) == GOODS.content


def test_a_file_is_copied_to_another_repo_by_whoever_may_pull_it(
    ask: Ask, cas: Cas, alice: Viewer, repo: Repo, token: str, foreign_token: str
) -> None:
    beside = make_repo(alice)
    body = {
        "target": {"type": "model", "name": beside.full_name},
        "files": [{"xetHash": GOODS.file_name, "sha256": GOODS.sha256, "filename": "w.bin"}],
    }
    address = f"/api/models/{repo.full_name}/lfs-files/duplicate"
    assert ask("POST", address, body, token=token).json() == {"failed": []}
    assert cas_for(ask, beside.full_name, token, right="read").plan(GOODS).status_code == 200
    unknown = {**body, "files": [{"sha256": "ab" * 32}]}
    assert len(ask("POST", address, unknown, token=token).json()["failed"]) == 1
    Repo.objects.filter(pk=repo.pk).update(gated="manual")
    assert ask("POST", address, body, token=foreign_token).status_code == 403
    assert ask("POST", address, body).status_code == 401


def test_who_pushes_a_file_in_one_piece_learns_nothing_of_others_who_have_it_in_chunks(
    ask: Ask, cas: Cas
) -> None:
    bob = make_viewer()
    assert bob.user is not None
    _, bobs_token = with_token(bob.user)
    own = make_repo(bob)
    push_large(bob, own, "w.bin", GOODS.content)
    assert "X-Xet-Hash" not in ask("HEAD", f"/{own.full_name}/resolve/main/w.bin", token=bobs_token)
    (listed,) = [
        item
        for item in ask("GET", f"/api/models/{own.full_name}/tree/main", token=bobs_token).json()
        if item["path"] == "w.bin"
    ]
    assert "xetHash" not in listed
    assert cas_for(ask, own.full_name, bobs_token, right="read").plan(GOODS).status_code == 404


def test_a_copy_in_another_namespace_reads_by_chunks_under_other_names(
    ask: Ask, cas: Cas, repo: Repo
) -> None:
    bob = make_viewer()
    assert bob.user is not None
    _, bobs_token = with_token(bob.user)
    own = make_repo(bob)
    body = {
        "target": {"type": "model", "name": own.full_name},
        "files": [{"xetHash": GOODS.file_name, "sha256": GOODS.sha256, "filename": "w.bin"}],
    }
    address = f"/api/models/{repo.full_name}/lfs-files/duplicate"
    assert ask("POST", address, body, token=bobs_token).json() == {"failed": []}
    reader = cas_for(ask, own.full_name, bobs_token, right="read")
    told = reader.plan(GOODS).json()
    assert GOODS.name not in told["xorbs"]
    assert rebuilt(reader, told) == GOODS.content
