"""A hub with something to see on every page: models of all states, proposals, reviews, jobs, people and their lists."""

import base64
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.db import transaction
from django.utils.http import urlsafe_base64_encode
from safetensors.numpy import save

from hub.accounts.identity import Viewer
from hub.accounts.models import Token, User
from hub.accounts.tokens import create_token
from hub.audit import chain
from hub.catalog import clearances, collections, gating, jobs, likes, notices, refs
from hub.catalog.conversions import ask
from hub.catalog.models import DownloadDay, Job, Repo
from hub.catalog.names import FilePath
from hub.catalog.operations import AddFile
from hub.catalog.repos import change_settings
from licenses.models import Case, Document
from tests.factories import at, commit_all, make_organization, make_repo, push, push_large, work
from tests.pages.desk_kit import ADDED
from tests.pages.kit import logged_in, person
from tests.terms.kit import BASE, card, case_of, llama_files, model
from tests.workers.making import ships_of

ROOMY_CARD = b"""---
license: apache-2.0
language: [en, de]
pipeline_tag: text-generation
library_name: transformers
---
# Ships

They weigh *ships*: $x^2$, and

$$
\\sum_i y_i
$$

$\\unknown{$ stays, and so does what would take minutes to draw:
$\\def\\a{%s}%s$ <span class="math">%s</span>

## Figures

| Harbour | Ships | Share |
|---|--:|:-:|
| Amsterdam | 12 | 40 %% |
| Hamburg | 18 | 60 %% |

- [x] weighed
- [ ] sold, see [the file](code.py) and a note[^1]

> Said by a quay.

![A ship](ship.png) ![](ship.png)

```python
def weigh(ship: str) -> int:
    return 1  # tonne
```

<details><summary>More</summary>

#### A heading that skips

</details>

[^1]: Not everything.
""" % (b"x" * 900, b"\\a" * 400, b"y" * 3000)
CODE = b'"""Weighs."""\n\nimport os\n\n\ndef weigh(ship: str) -> int:\n    # In tonnes.\n    return 1\n'
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
FIELDS = "extra_gated_fields:\n  Company: text\n  I am of age: checkbox\n  Country: country"


def build() -> tuple[dict[str, str], dict[str, str]]:
    """Fill an empty hub; returns people's sessions, and the words that addresses of pages are made of."""
    cache.clear()
    ada, bob, rita = person("ada"), person("bob"), person("rita")
    User.objects.filter(pk=rita.pk).update(is_reviewer=True)
    User.objects.filter(pk=ada.pk).update(
        is_staff=True, is_reviewer=True, fullname="Ada L.", about="Weighs ships."
    )
    ada.refresh_from_db()
    viewer, other = Viewer(user=ada), Viewer(user=bob)
    words = _ships(viewer, other) | _reviewed(viewer) | _people(ada, bob, viewer, other)
    words |= _jobs(ada)
    chain.settle()
    return {one.username: logged_in(one).cookies["sessionid"].value for one in (ada, bob, rita)}, words


def _ships(viewer: Viewer, other: Viewer) -> dict[str, str]:
    """A model with everything, its quantizations, a proposal, a checkpoint, and a data set."""
    ships = ships_of(viewer)
    weights = at(ships).commit
    first = push(
        viewer, ships, {"README.md": ROOMY_CARD, "code.py": CODE, "ship.png": PICTURE, "old.txt": b"one\n"}
    )
    second = push(viewer, ships, {"code.py": CODE.replace(b"1", b"2"), "old.txt": None, "raw.dat": b"\0\1"})
    refs.create_branch(viewer, ships, branch="next")
    refs.create_tag(viewer, ships, tag="v1", revision="main", message="First")
    proposal = AddFile(FilePath.parse("TIDES.md"), b"# Tides\n")
    commit_all(other, ships, [proposal], title="Tell of tides", create_pr=True)
    DownloadDay.objects.create(repo=ships, day=datetime.now(UTC).date(), count=7)
    boats = make_repo(viewer, "boats")
    tensors: dict[str, Any] = {
        "a.0.weight": np.zeros((4, 8), np.float32),
        "a.1.weight": np.zeros((4, 8), np.float16),
    }
    push(
        viewer,
        boats,
        {"README.md": card("mit", base="ada/ships", relation="finetune"), "config.json": b"{}\n"},
    )
    push_large(viewer, boats, "model.safetensors", save(tensors))
    tides = make_repo(viewer, "tides", type_="dataset")
    push(viewer, tides, {"README.md": b"---\nlicense: cc0-1.0\n---\n# Tides\n", "data.csv": b"a,b\n1,2\n"})
    make_repo(viewer, "empty")
    work()
    _released(ships)
    ask(viewer, at(ships), types=["Q8_0"])
    work()
    return {"first": first.oid, "second": second.oid, "weights": weights}


def _reviewed(viewer: Viewer) -> dict[str, str]:
    """Models that wait for a review, one that asks for a yes, and texts of the catalogue."""
    for name in ("Ledger", "Tide"):
        model(viewer, name, {"README.md": card("mit"), "LICENSE": ADDED.encode()})
    asking = llama_files() | {
        "README.md": card("llama3.1", base=BASE, body="Built with Llama.\n", more=FIELDS)
    }
    _released(model(viewer, "Llama-Chat", asking))
    odd = {"README.md": card("cc-by-nc-4.0", base="ada/Ledger"), "LICENSE": b"Do as you please.\n"}
    held = model(viewer, "Quay", odd)
    text = Document.objects.filter(license__slug="mit").earliest("pk")
    return {"case": str(case_of(held).pk), "sha256": text.sha256}


def _released(repo: Repo) -> None:
    case = case_of(repo)
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVED)
    case.refresh_from_db()
    with transaction.atomic():
        locked = clearances.lock(str(repo.pk))
        assert locked is not None
        clearances.write(locked, case, by=chain.system("test"))


def _people(ada: User, bob: User, viewer: Viewer, other: Viewer) -> dict[str, str]:
    make_organization("lab", admin=ada, read=bob)
    ships = Repo.objects.get(key="ada/ships")
    likes.like(other, ships)
    asked = make_repo(viewer, "asked")
    push(viewer, asked, {"README.md": card("mit"), "notes.txt": b"x\n"})
    asked = change_settings(viewer, asked, gated="manual")
    gating.ask_access(other, asked)
    make_repo(viewer, "secret", private=True)
    good = collections.create(viewer, namespace="ada", title="Good ships", description="Those that swim.")
    collections.add(viewer, good, ships, note="Fast")
    collections.add(viewer, good, asked)
    create_token(user=ada, name="laptop", kind=Token.Kind.WRITE)
    notices.notify(ada, notices.JOB_DONE, None, "One is done.", "/jobs")
    notices.notify(ada, notices.JOB_FAILED, None, "Another one is not.")
    reset = f"{urlsafe_base64_encode(str(bob.pk).encode())}/{default_token_generator.make_token(bob)}"
    return {"collection": collections.slug_of(good), "reset": reset}


def _jobs(ada: User) -> dict[str, str]:
    """Work that runs, waits, failed and ended."""
    ships = Repo.objects.get(key="ada/ships")
    payload: dict[str, Any] = {
        "user": ada.pk, "token": None, "commit": "c" * 40, "path": "a.gguf", "types": ["Q4_0"], "target": "ada/x",
    }  # fmt: skip
    waiting = jobs.ask(kind="quantize", subject="waits", repo=ships, payload=payload)
    running = jobs.ask(kind="quantize", subject="runs", repo=ships, payload=payload)
    failed = jobs.ask(kind="quantize", subject="failed", repo=ships, payload=payload)
    Job.objects.filter(pk=running.pk).update(state="running", progress=0.4, step="tensor 3 of 9")
    Job.objects.filter(pk=failed.pk).update(
        state="failed", error="The header lies.", finished_at=failed.created_at
    )
    return {"job": str(running.pk), "waiting": str(waiting.pk), "failed": str(failed.pk)}
