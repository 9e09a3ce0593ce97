"""Models with terms, as people push them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from hub.accounts.identity import Viewer
from hub.catalog import reviewing
from hub.catalog.desk import desk_of
from hub.catalog.models import Repo
from licenses.cases import current_case
from licenses.loader import load_catalogue, load_texts, load_upstream
from licenses.models import Case
from licenses.policies import load_policies
from licenses.policy import shipped_policies
from licenses.reviews import Answer
from licenses.shipped import shipped_readings
from licenses.upstream import shipped_upstream
from tests.factories import make_repo, push, work
from tests.licenses.known import text_of, texts

# The rest of the catalogue takes seconds to load and is not asked about.
WANTED = (
    "apache-2.0",
    "mit",
    "llama3.1",
    "llama3.2",
    "gemma",
    "cc-by-nc-4.0",
    "gpl-3.0",
    "openrail++",
    "cc0-1.0",
)
BASE = "meta-llama/Llama-3.1-8B"


@pytest.fixture
def reviewed_hub(db: None, settings: Settings) -> Settings:
    """A hub that reviews, with a small catalogue and its texts."""
    settings.HUB_REVIEW, settings.HUB_LICENSE_WAIT_SECONDS = "enforced", 0
    load_small_catalogue()
    return settings


def load_small_catalogue() -> None:
    readings = {one: shipped_readings()[one] for one in WANTED}
    load_catalogue(readings)
    load_texts(texts(), readings, source="test")
    load_upstream([one for one in shipped_upstream() if one.license in readings])
    load_policies(shipped_policies())


def card(
    license_: str, *, base: str = "", relation: str = "", body: str = "# A model\n", more: str = ""
) -> bytes:
    lines = [f"license: {license_}" if license_ else "tags: [x]"]
    lines += [f"base_model: {base}"] if base else []
    lines += [f"base_model_relation: {relation}"] if relation else []
    lines += [more] if more else []
    return ("---\n" + "\n".join(lines) + f"\n---\n{body}").encode()


def llama_files(body: str = "Built with Llama. Fine-tuned on our notes.\n") -> dict[str, bytes]:
    """Return what a fine-tune of Llama 3.1 has to have, beside a name that begins with Llama."""
    return {
        "README.md": card("llama3.1", base=BASE, body=body),
        "LICENSE": text_of("llama3.1").encode(),
        "NOTICE": shipped_readings()["llama3.1"].notice.encode() + b"\n",
    }


def model(viewer: Viewer, name: str, files: Mapping[str, bytes | None], *, private: bool = False) -> Repo:
    """Return a repo with these files, read to the end."""
    repo = make_repo(viewer, name, private=private)
    push(viewer, repo, files)
    return again(repo)


def again(repo: Repo) -> Repo:
    """Do what is due and return the repo as it stands."""
    work()
    return Repo.objects.select_related("namespace", "source").get(pk=repo.pk)


def case_of(repo: Repo | UUID) -> Case:
    case = current_case(str(repo.pk if isinstance(repo, Repo) else repo))
    assert case is not None
    return case


def answered(repo: Repo) -> Answer:
    """Return a reviewer's answer in which everything that is asked is answered."""
    case = case_of(repo)
    left = desk_of(case, repo, ()).still_open({}, explained=True)
    said = {"finding": "Looked at.", "term": "unknown", "check": "yes"}
    return Answer(checklist={f"{one.kind}:{one.key}": said[one.kind] for one in left}, note_public="Read.")


def approve(viewer: Viewer, repo: Repo, **told: Any) -> Repo:
    """Let a reviewer say yes, and return the repo as it stands then."""
    reviewing.act(viewer, case_of(repo), verb="approve", answer=answered(repo), **told)
    return again(repo)


def codes(repo: Repo, severity: str = "") -> list[str]:
    """Return the codes of what is open about a repo."""
    found = case_of(repo).findings
    return sorted(
        one["code"] for one in found if one["severity"] in ((severity,) if severity else ("block", "fix"))
    )
