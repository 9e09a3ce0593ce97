"""What a repo shows of a model's parts."""

import pytest

from hub.catalog.models import CommitRecord, Repo
from hub.catalog.openness import evidence_for, openness_of
from hub.catalog.signals import from_card, from_config, from_paths
from licenses.openness import Presence, Rung
from licenses.shipped import shipped_readings
from tests.factories import make_repo, make_viewer, push, push_large

READINGS = shipped_readings()
WORDS = "It was weighed on the quay by people who know their trade and wrote it all down. " * 10
CARD = f"""---
license: apache-2.0
datasets: [alice/manifest, elsewhere/far]
library_name: transformers
---
# Ships
## Intended use
{WORDS}
## Training
Read arXiv:2403.13784.
## Evaluation
| bench | points |
|---|---|
| quay | 61 |
"""


def record_of(repo: Repo) -> CommitRecord:
    repo.refresh_from_db()
    return CommitRecord.objects.get(network=repo.network_id, oid=repo.head)


@pytest.mark.django_db
def test_parts_are_found_with_the_place_where_they_were_seen() -> None:
    alice = make_viewer("alice")
    data = make_repo(alice, "manifest", type_="dataset")
    push(alice, data, {"README.md": b"# Manifest\n", "rows.csv": b"a\n"})
    Repo.objects.filter(pk=data.pk).update(concluded=["cdla-permissive-2.0"])
    hidden = make_repo(alice, "far", type_="dataset", private=True)
    repo = make_repo(alice, "ships")
    push_large(alice, repo, "model.safetensors", b"\x02\0\0\0\0\0\0\0{}")
    push(alice, repo, {
        "README.md": CARD.replace("elsewhere/far", hidden.full_name).encode(), "train.py": b"1",
        "eval/run_eval.py": b"1",
        "config.json": b'{"architectures": ["LlamaForCausalLM"]}', "requirements.txt": b"x",
        "checkpoint-100/model.bin": b"w",
        "preprocess.py": b"1", "code/LICENSE": b"MIT", "code/train_more.py": b"1",
    })  # fmt: skip
    found = evidence_for(
        repo, record_of(repo), licenses=["apache-2.0"], readings=READINGS, texts={"code/LICENSE": "mit"}
    )
    said = {name: (one.presence, one.license) for name, one in found.items()}
    assert said["parameters"] == (Presence.PRESENT, "apache-2.0")
    assert said["architecture"] == said["inference-code"] == (Presence.PRESENT, "apache-2.0")
    assert found["architecture"].seen == ("LlamaForCausalLM, in transformers",)
    assert said["datasets"] == said["data-card"] == (Presence.PRESENT, "cdla-permissive-2.0")
    assert said["research-paper"][0] is Presence.CLAIMED
    assert found["evaluation-results"].seen == ("README.md:11",)
    assert (
        said["model-card"][0] is said["checkpoints"][0] is said["preprocessing-code"][0] is Presence.PRESENT
    )
    assert said["training-code"] == (Presence.PRESENT, "mit")
    assert "technical-report" not in found and hidden.full_name not in str(found["datasets"])


@pytest.mark.django_db
def test_a_grade_is_capped_by_the_terms_of_use_and_by_a_gate() -> None:
    alice = make_viewer("alice")
    repo = make_repo(alice, "ships")
    record_free = push_large(alice, repo, "model.gguf", b"GGUF" + bytes(40))
    assert record_free
    record = record_of(repo)

    def rung(licenses: list[str]) -> Rung:
        return openness_of(repo, record, licenses=["mit"], use_licenses=licenses, readings=READINGS).rung

    assert rung(["mit"]) is Rung.OPEN_WEIGHTS
    assert rung(["mit", "llama3.1"]) is Rung.COMMUNITY_WEIGHTS
    assert rung([]) is Rung.UNDETERMINED


def test_names_show_parts_and_training_state_is_no_model() -> None:
    seen = {path: name for name, _, path in from_paths(
        ["src/pretrain.py", "optimizer.pt", "docs/technical_report.pdf", "paper.pdf", "modeling_ship.py", "notes.txt",
         "preprocess_train.py", "evaluate.ipynb", "medieval.py"]
    )}  # fmt: skip
    assert seen == {
        "src/pretrain.py": "training-code", "optimizer.pt": "metadata", "docs/technical_report.pdf": "technical-report",
        "paper.pdf": "research-paper", "modeling_ship.py": "inference-code",
        "preprocess_train.py": "preprocessing-code",
        "evaluate.ipynb": "evaluation-code",
    }  # fmt: skip


def test_a_card_of_blanks_tells_nothing_and_code_of_the_repo_is_not_the_librarys() -> None:
    blanks = "## Uses\n[More Information Needed]\n## Training\n[More Information Needed]\n" * 20
    assert "model-card" not in {name for name, _, _ in from_card(blanks, {})}
    config = {"architectures": ["ShipForCausalLM"], "auto_map": {"AutoModel": "modeling_ship.Ship"}}
    assert list(from_config(config, "transformers", "")) == []
    assert [name for name, _ in from_config({}, "", "llama")] == ["architecture", "inference-code"]
