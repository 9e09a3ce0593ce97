"""How kinds of work are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

_NAMES: dict[str, Promise] = {
    "verify": _("Proof of a file"), "prove-chunks": _("Proof of files in chunks"), "inspect": _("Reading the files"),
    "quantize": _("Quantization"), "convert": _("Conversion"), "make-plain": _("Making a plain object"),
    "make-chunked": _("Cutting into chunks"), "scrub": _("Hashing stored bytes again"),
    "sweep": _("Letting go of what nobody needs"), "check-xorb": _("Checking chunks"),
    "mail-reset": _("Mailing a link to set a password"),
    "license": _("Reading the licence"),
    "tensor-digests": _("Comparing tensors with those of other models"), "index": _("Words for the search"),
    "license-descendants": _("Telling what was made from it of new terms"),
}  # fmt: skip


# Steps of one word, which `hub.pages.saying` is asked for; the others are read from the code of the workers.
STEPS = (gettext_noop("hashing"),)


def job_name(kind: str) -> str:
    """Return what kind of work a job is, in words."""
    return str(_NAMES.get(kind) or kind.replace("-", " ").capitalize())
