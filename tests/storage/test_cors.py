"""Pages of the hub may send to the store, and rules that an operator made stay."""

from datetime import UTC, datetime

import urllib3

from storage import presign, s3, signing
from storage.cors import allow_origins

HOME = "https://hub.example"


def preflight(origin: str) -> int:
    link = presign.link(signing.place(), "PUT", "staging/x", expires=60, now=datetime.now(UTC))
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    return urllib3.request("OPTIONS", link, headers=asked).status


def test_only_the_named_pages_may_send_and_rules_of_others_are_left_alone() -> None:
    try:
        assert allow_origins(["https://old.example"])
        assert allow_origins([HOME])
        assert preflight(HOME) == 200
        assert preflight("https://evil.example") == 403
        rule = {"ID": "theirs", "AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}
        s3.client().put_bucket_cors(Bucket=s3.bucket(), CORSConfiguration={"CORSRules": [rule]})  # type: ignore[list-item]
        assert not allow_origins([HOME])
        assert s3.client().get_bucket_cors(Bucket=s3.bucket())["CORSRules"][0]["ID"] == "theirs"
    finally:
        s3.client().delete_bucket_cors(Bucket=s3.bucket())
