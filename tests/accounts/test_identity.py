"""Who a request comes from."""

import base64
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from hub import valkey
from hub.accounts.identity import ANONYMOUS, BadCredentials, identify
from hub.accounts.models import Token
from hub.accounts.tokens import create_token, flush_uses, make_secret
from tests.factories import make_user, with_token

pytestmark = pytest.mark.django_db


def test_a_new_token_has_the_only_shape_that_every_client_sends_on() -> None:
    assert re.fullmatch(r"hf_[A-Za-z0-9]{34,253}", make_secret())
    assert make_secret() != make_secret()


def test_a_token_is_read_from_bearer_and_from_basic_password() -> None:
    user = make_user()
    _, secret = with_token(user)
    basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
    for header in (f"Bearer {secret}", f"bearer {secret}", f"Basic {basic}"):
        assert identify(header).user == user


@pytest.mark.parametrize("header", ["Bearer hf_unknown", "Bearer ", "Basic !!!", "Digest x", "nonsense"])
def test_a_bad_header_is_not_taken_for_a_stranger(header: str) -> None:
    with pytest.raises(BadCredentials):
        identify(header)


def test_no_header_is_a_stranger() -> None:
    assert identify(None) is ANONYMOUS


def test_an_expired_token_and_one_of_an_inactive_user_are_bad_credentials() -> None:
    user = make_user()
    _, expired = create_token(
        user=user, name="old", kind=Token.Kind.READ, expires_at=timezone.now() - timedelta(seconds=1)
    )
    _, valid = with_token(user)
    with pytest.raises(BadCredentials):
        identify(f"Bearer {expired}")
    user.is_active = False
    user.save()
    with pytest.raises(BadCredentials):
        identify(f"Bearer {valid}")


def test_the_use_of_a_token_is_written_in_batches() -> None:
    valkey.client().delete("token-uses")
    _, secret = with_token(make_user())
    viewer = identify(f"Bearer {secret}")
    assert viewer.token is not None
    used = Token.objects.get(pk=viewer.token.pk).last_used_at
    assert used is None
    assert flush_uses() == 1
    viewer.token.refresh_from_db()
    assert viewer.token.last_used_at is not None
    assert abs(timezone.now() - viewer.token.last_used_at) < timedelta(minutes=1)
    assert flush_uses() == 0
