"""What the scripts of pages say.  They bring their English along; a page in another language brings the words for it.

The scripts under ``templates/static/weighhouse/upload`` name each sentence as it stands here.
"""

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

UPLOAD = (
    _("chosen"),
    _("waiting"),
    _("computing sha256"),
    _("on its way"),
    _("ready"),
    _("left out by .gitignore"),
    _("changed after it was chosen: choose it again"),
    _("Leave {path} out"),
    _("{sent} of {size}"),
    _("paused"),
    _("{speed} a second, about {time} left"),
    _("computing the sha256 of {path}"),
    _("{size} were here already"),
    _("one file"),
    _("{number} files"),
    _("{number} more are not listed, but go along."),
    _("Proving what arrived, and committing"),
    _("{path} was not sent; the list says why. Choose it again or leave it out. Nothing was committed."),
    _(
        "{number} files were not sent; the list says why. Choose them again or leave them out. Nothing was committed."
    ),
    _("There is nothing to commit."),
    _(
        "Stopped. Nothing was committed. What has arrived is kept for a while: upload the same files again and only "
        "the rest is sent."
    ),
    _("A file was changed after it was chosen. Choose it again. Nothing was committed."),
    _("Something went wrong in this page. Reload it and choose the same files: only the rest is sent."),
    _("The hub does not answer. Go on when you are online again."),
    _("You were logged out. Log in again in another tab, then go on here; nothing is lost."),
    _("The hub did not take this form: log in again in another tab, then go on here; nothing is lost."),
    _("The hub answered {status}."),
    _("The store answered {status}."),
    _("The store does not answer. Go on when you are online again."),
)


def words(texts: tuple[str, ...]) -> dict[str, str]:
    """Return texts with what they are in the reader's language; nothing where that is English."""
    return {} if get_language() in (None, "en") else {text: gettext(text) for text in texts}
