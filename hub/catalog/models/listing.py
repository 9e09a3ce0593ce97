"""What repos are found by: apart from their own rows, which change with every pull."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Upper

from hub.catalog.models.lengths import OID_LENGTH
from hub.catalog.models.repos import Repo


class RepoText(models.Model):
    """The words of one repo.  Its own number is the repo's place in the bit sets that facets are counted with."""

    repo = models.OneToOneField(Repo, on_delete=models.CASCADE, related_name="text")
    name = models.CharField(max_length=200, help_text="namespace/name")
    short = models.CharField(max_length=96, help_text="the name alone, upper-cased")
    vector = SearchVectorField(help_text="A: its name, B: tags, author and bases, C: its card")
    summary = models.CharField(max_length=200, blank=True, help_text="the first paragraph of its card")
    card = models.CharField(max_length=OID_LENGTH, blank=True, help_text="the README that the words are of")
    version = models.SmallIntegerField(default=0, help_text="of the rules by which the words were taken")

    class Meta:
        indexes: ClassVar = [
            GinIndex(fields=["vector"], name="text_words"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="text_name_trigrams"),
            models.Index(OpClass("short", name="varchar_pattern_ops"), name="text_beginnings"),
            models.Index(fields=["version"], name="text_versions"),
        ]

    def __str__(self) -> str:
        return self.name
