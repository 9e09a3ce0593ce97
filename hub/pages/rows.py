"""The lines of lists: what each one says, drawn once and kept for as long as it says the same.

A line holds nothing but plain values, and its template is given nothing but the line: so two equal lines look the same
to everyone, whoever asks, and drawing is the dearer half of a list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hub.catalog.models import Repo, RepoText
from hub.catalog.proofs import sizes_of, unsettled
from hub.catalog.traits import FITS, trait
from hub.pages.addresses import repo_url
from hub.pages.standing import standing_of
from hub.pages.times import ago
from licenses.openness import Rung

MOST_KEPT = 4096
_FORMATS = {"safetensors": "safetensors", "gguf": "GGUF", "onnx": "ONNX"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list.

    ``settled`` names the licenses that review or a policy has settled on; openness is 0 where nobody has.  ``seal``
    and ``standing`` tell where the terms stand.  ``size`` is what a download takes, ``used_storage`` what is kept for
    all revisions.
    """

    type: str
    url: str
    full_name: str
    proof: str
    summary: str
    private: bool
    gated: str
    disabled: bool
    task: str
    formats: tuple[str, ...]
    library: str
    base: str
    updated_at: datetime
    ago: str
    settled: tuple[str, ...]
    seal: str
    standing: str
    is_commercial: bool
    is_restricted: bool
    license: str
    parameters: int | None
    size: int
    runs_in: int
    used_storage: int
    openness: int
    is_bare: bool
    downloads: int
    likes: int
    # In a collection: what is no model, and what its keepers say of it.
    kind: str = ""
    note: str = ""

    @property
    def space(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]

    @property
    def use(self) -> tuple[str, str]:
        """The seal and the word for commercial use under settled terms; what only a card says is no green yes."""
        if self.is_commercial:
            return "declared" if self.is_on_its_word else "proven", _("commercial use")
        seal = "declared" if self.is_on_its_word else "terms"
        return seal, _("not commercially") if self.is_restricted else _("with terms")

    @property
    def is_on_its_word(self) -> bool:
        return self.seal == "declared"

    @property
    def is_open(self) -> bool:
        """True where somebody has yet to settle the terms, or has refused them."""
        return self.seal in ("pending", "rejected")


def rows_of(repos: Sequence[Repo], *, ram: str = "") -> list[Row]:
    """Return lines with their proof and their size, in one query each for all.

    Where they were chosen for the memory that a reader has, they tell what each needs, and their pages know it too.
    """
    open_ones, sizes = unsettled(repos), sizes_of(repos)
    return [
        _row(
            repo,
            proof=open_ones.get(repo.pk) or ("proven" if repo.used_storage else "small"),
            size=sizes.get(repo.pk, 0),
            ram=ram,
        )
        for repo in repos
    ]


def _row(repo: Repo, *, proof: str, size: int, ram: str) -> Row:
    # Nothing of a card that is not shown.
    text: RepoText | None = None if repo.disabled else getattr(repo, "text", None)
    terms = standing_of(repo)
    formats = tuple(name for tag, name in _FORMATS.items() if tag in repo.tags)
    is_bare = not repo.used_storage and not formats
    return Row(
        type=repo.type, url=repo_url(repo) + (f"?ram={ram}" if ram else ""), full_name=repo.full_name, proof=proof,
        summary=text.summary if text else "",
        private=repo.private, gated=repo.gated, disabled=repo.disabled, task=repo.pipeline_tag,
        formats=formats, library="" if repo.library in _FORMATS else repo.library,
        base=repo.base_models[0] if repo.base_models else "", updated_at=repo.updated_at, ago=ago(repo.updated_at),
        settled=tuple(repo.concluded) if terms.is_settled else (), seal=terms.seal, standing=terms.word,
        is_commercial="commercial" in repo.uses,
        is_restricted=repo.openness == Rung.RESTRICTED_WEIGHTS, license=repo.license, parameters=repo.parameters,
        size=size, runs_in=_least(repo) if ram else 0, used_storage=repo.used_storage,
        openness=repo.openness if terms.is_settled and not is_bare else 0,
        is_bare=is_bare, downloads=repo.downloads, likes=repo.likes,
    )  # fmt: skip


def _least(repo: Repo) -> int:
    """Return the memory in GB of the smallest device that a model runs in, 0 where that is not known."""
    prefix = trait(FITS, "")
    return min((int(one[len(prefix) :]) for one in repo.traits if one.startswith(prefix)), default=0)


def drawn(row: Row, *, pick: bool = False) -> SafeString:
    """Return a line as markup in the language of its reader; ``pick`` lets it be chosen for a comparison."""
    return _drawn(row, pick, get_language() or "")


@lru_cache(maxsize=MOST_KEPT)
def _drawn(row: Row, pick: bool, _language: str) -> SafeString:
    return render_to_string("browse/row.html", {"row": row, "pick": pick})
