"""Finding a case and its repo by the number in an address."""

from uuid import UUID

from hub.catalog.errors import EntryNotFound
from hub.catalog.models import Repo
from licenses.models import Case


def find_case(text: str) -> tuple[Case, Repo]:
    """Return a case with its repo; raises EntryNotFound.  Whoever may review may know of every repo's terms."""
    try:
        case = Case.objects.select_related("assigned_to").filter(pk=UUID(text)).first()
    except ValueError:
        case = None
    repo = Repo.objects.select_related("namespace").filter(pk=UUID(case.subject)).first() if case else None
    if case is None or repo is None:
        raise EntryNotFound(f"There is no case {text[:60]}.")
    return case, repo
