"""The chunk store is shut where HUB_XET says so."""

import pytest
from django.test import Client, override_settings

from tests.factories import make_repo, make_viewer, with_token

pytestmark = pytest.mark.django_db


@override_settings(HUB_XET=False)
def test_a_hub_without_chunks_gives_no_tokens_and_says_what_to_do(client: Client) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    assert viewer.user
    _, secret = with_token(viewer.user)
    for right in ("read", "write"):
        answer = client.get(
            f"/api/models/{repo.full_name}/xet-{right}-token/main",
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert answer.status_code == 404
        assert "HF_HUB_DISABLE_XET=1" in answer["X-Error-Message"]
