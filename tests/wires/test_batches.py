"""One git-lfs batch asks for a bounded number of files and parts."""

import json
import secrets
from typing import Any

import pytest

from hub.catalog.batches import MAX_FILES, MAX_PARTS, check_batch
from hub.catalog.errors import TooLarge
from hub.catalog.models import Repo
from storage.models import Upload
from tests.wires.conftest import Ask

BATCH = "/alice/model.git/info/lfs/objects/batch"


def _ask(ask: Ask, token: str, sizes: list[int]) -> Any:
    objects = [{"oid": secrets.token_hex(32), "size": size} for size in sizes]
    body = {"operation": "upload", "transfers": ["basic", "multipart"], "objects": objects}
    return ask("POST", BATCH, body, token=token)


def test_the_largest_file_is_offered_in_few_parts(ask: Ask, repo: Repo, token: str) -> None:
    answer = _ask(ask, token, [499 * 10**9])
    assert answer.status_code == 200
    header = json.loads(answer.content)["objects"][0]["actions"]["upload"]["header"]
    assert 1900 < len(header) - 1 <= 2000
    assert (len(header) - 1) * int(header["chunk_size"]) >= 499 * 10**9


def test_a_batch_with_too_many_parts_begins_nothing(ask: Ask, repo: Repo, token: str) -> None:
    answer = _ask(ask, token, [499 * 10**9] * 17)
    assert answer.status_code == 413
    assert "send fewer at once" in answer["X-Error-Message"]
    assert not Upload.objects.filter(size=499 * 10**9).exists()
    assert _ask(ask, token, [1] * (MAX_FILES + 1)).status_code == 422


def test_what_the_stock_client_sends_at_once_is_taken() -> None:
    check_batch([8 * 10**9] * MAX_FILES)
    with pytest.raises(TooLarge):
        check_batch([64 * 2**20 + 1] * (MAX_PARTS // 2 + 1))
