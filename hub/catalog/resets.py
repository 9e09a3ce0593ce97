"""Asking for a link to set a new password: written down for a worker, whether or not anybody has the address.

So the answer takes as long for an address that is known as for one that is not.
"""

from django.utils.crypto import salted_hmac

from hub.catalog import jobs

KIND = "mail-reset"


def ask(*, address: str, language: str) -> None:
    """Have a link mailed, in a language, to every account that has this address."""
    # Whoever sees the list of jobs cannot tell whose address it is, nor try some.
    subject = salted_hmac(KIND, address.strip().lower()).hexdigest()
    jobs.ask(kind=KIND, subject=subject, payload={"address": address, "language": language})
