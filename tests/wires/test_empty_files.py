"""A large file of no bytes is a file, too, however it is delivered."""

import pytest
from django.test import override_settings

from hub.accounts.identity import Viewer
from hub.catalog.models import Repo
from tests.factories import push_large
from tests.wires.conftest import Ask


@pytest.mark.parametrize("delivery", ["proxy", "redirect"])
def test_an_empty_large_file_is_delivered_as_nothing(
    ask: Ask, alice: Viewer, repo: Repo, delivery: str
) -> None:
    push_large(alice, repo, "empty.bin", b"")
    with override_settings(HUB_DELIVERY=delivery):
        head = ask("HEAD", "/alice/model/resolve/main/empty.bin")
        assert (head.status_code, head["Content-Length"], head["X-Linked-Size"]) == (200, "0", "0")
        target = ask("GET", "/alice/model/resolve/main/empty.bin")["Location"]
        if delivery == "proxy":
            for method in ("GET", "HEAD"):
                answer = ask(method, "/bytes/get/" + target.rpartition("/bytes/get/")[2])
                assert (answer.status_code, answer["Content-Length"]) == (200, "0")
                assert b"".join(answer.streaming_content) == b""
