"""Which pages may talk to the store: one rule for the hub's own, beside none of anybody else's."""

from storage.errors import ObjectMissing
from storage.s3 import bucket, client, talking

RULE = "weighhouse-pages"


def allow_origins(origins: list[str]) -> bool:
    """Let pages of these origins read and write by links; False where the bucket has rules of somebody else's.

    Raises StoreUnavailable where the store knows no such rules, or its keys may not set them.
    """
    try:
        with talking():
            known = client().get_bucket_cors(Bucket=bucket()).get("CORSRules", [])
    except ObjectMissing:
        known = []
    if any(rule.get("ID") != RULE for rule in known):
        return False
    with talking():
        client().put_bucket_cors(
            Bucket=bucket(),
            CORSConfiguration={
                "CORSRules": [
                    {
                        "ID": RULE, "AllowedOrigins": origins, "AllowedMethods": ["GET", "HEAD", "PUT"],
                        "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 3600,
                    }
                ]
            },
        )  # fmt: skip
    return True
