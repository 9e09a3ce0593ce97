"""How long ago something was."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

_AGO = [
    (31_536_000, ngettext_lazy("%(count)s year ago", "%(count)s years ago", "count")),
    (2_592_000, ngettext_lazy("%(count)s month ago", "%(count)s months ago", "count")),
    (86_400, ngettext_lazy("%(count)s day ago", "%(count)s days ago", "count")),
    (3600, ngettext_lazy("%(count)s hour ago", "%(count)s hours ago", "count")),
    (60, ngettext_lazy("%(count)s minute ago", "%(count)s minutes ago", "count")),
]


def ago(moment: datetime | None) -> str:
    """Return how long ago something was, in one word and a number."""
    if moment is None:
        return _("never")
    seconds = int((timezone.now() - moment).total_seconds())
    for span, words in _AGO:
        if seconds >= span:
            return words % {"count": seconds // span}
    return _("just now")
