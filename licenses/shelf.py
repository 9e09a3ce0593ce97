"""Reads for the doors: the catalogue as a list, and one licence with its texts."""

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from licenses.models import Document, License
from licenses.readings import readings_of
from licenses.terms import CATEGORIES, Reading


def on_shelf(*, text: str = "", category: str = "") -> QuerySet[License]:
    """Return the licences whose name, id, steward or alias holds these words, each with its number of texts."""
    found = License.objects.annotate(texts=Count("documents", distinct=True)).order_by("name", "slug")
    if category:
        found = found.filter(category=category)
    for word in text.split()[:8]:
        found = found.filter(
            Q(name__icontains=word)
            | Q(slug__icontains=word)
            | Q(steward__icontains=word)
            | Q(pk__in=License.objects.filter(aliases__name__icontains=word))
        )
    return found


def categories() -> Sequence[tuple[str, int]]:
    """Return the categories that occur, in their fixed order, with how many licences each holds."""
    counts = dict(License.objects.values_list("category").annotate(number=Count("pk")))
    return [(name, counts[name]) for name in CATEGORIES if name in counts]


def find_license(slug: str) -> License | None:
    """Return the licence of this id in any case, or None."""
    return License.objects.filter(slug__iexact=slug).first()


def reading_of(row: License) -> Reading:
    """Return a licence's reading, with the edits made here."""
    return readings_of([row])[row.slug]


def documents_of(row: License) -> Sequence[Document]:
    """Return a licence's texts, without the words themselves."""
    return list(row.documents.defer("text").order_by("kind", "-version", "pk"))


def find_text(row: License, sha256: str) -> Document | None:
    """Return one text of a licence by the hash of its bytes, or None."""
    return row.documents.filter(sha256=sha256).first()
