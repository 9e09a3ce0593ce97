"""Where a model comes from, as files, headers and weights show it."""

import json

import numpy as np
import pytest
from safetensors.numpy import save

from hub.accounts.identity import Viewer
from hub.catalog import evidence, lineage_edits
from hub.catalog.cards import Claims
from hub.catalog.errors import BadRequest, NotAllowed
from hub.catalog.evidence import Evidence, model_id, settled
from hub.catalog.models import Job, LineageEdge, Repo, TensorDigest
from licenses.ancestry import Relation
from licenses.shipped import shipped_readings
from tests.factories import make_repo, make_viewer, push, push_large
from tests.licenses.known import text_of
from tests.terms.kit import BASE, again, card, case_of, codes, model, reviewed_hub

__all__ = ["reviewed_hub"]

db = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
MIT = {"README.md": card("mit"), "LICENSE": text_of("mit").encode()}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("a/b", "a/b"),
        (" a/b/ ", "a/b"),
        ("https://hub.example.org/meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("https://hub.example.org/models/a/b?x=1", "a/b"),
        ("gpt2", "gpt2"),
        ("/home/me/model", ""),
        ("../a/b", ""),
        ("a/b/c", ""),
        ("", ""),
        (None, ""),
        ("x" * 500, ""),
    ],
)
def test_an_id_is_told_from_a_local_path(told: object, wanted: str) -> None:
    assert model_id(told) == wanted


def test_each_kind_of_file_names_its_parents_and_hostile_ones_name_none() -> None:
    assert list(evidence.from_config({"_name_or_path": "a/b"})) == [Evidence("a/b", "config")]
    assert list(evidence.from_config({"_name_or_path": "bert-base"})) == []
    assert [one.relation for one in evidence.from_adapter({"base_model_name_or_path": "a/b"})] == ["adapter"]
    recipe = b"models:\n- model: a/b\n- model: {model: {path: c/d@main}}\nbase_model: e/f+g/h\n- x"
    assert list(evidence.from_mergekit(recipe)) == []
    recipe = b"models:\n- model: a/b\n- model: {model: {path: c/d@main}}\nbase_model: e/f+g/h\nout: /tmp/x\n"
    assert [one.parent for one in evidence.from_mergekit(recipe)] == ["a/b", "c/d", "e/f"]
    assert list(evidence.from_mergekit(b"a: &x [*x]")) == []
    header = {"general.base_model.0.repo_url": "https://hub/a/b", "general.base_model.1.organization": "Meta Llama",
              "general.base_model.1.name": "Llama 3.1 8B", "general.base_model.2.name": 7}  # fmt: skip
    assert [one.parent for one in evidence.from_gguf(header)] == ["a/b", "Meta-Llama/Llama-3.1-8B"]
    claims = Claims(
        data={"base_model": ["a/b", "no such"], "datasets": "d/e", "base_model_relation": "quantized"}
    )
    found = [(one.parent, one.relation) for one in evidence.from_card(claims)]
    assert found == [("a/b", "quantized"), ("no such", "quantized"), ("d/e", "dataset")]


def test_full_weights_are_no_adapter_whatever_the_card_says() -> None:
    told = [Evidence("a/b", "card", "adapter"), Evidence("A/B", "gguf")]
    assert {relation for _, relation in settled(told, is_adapter=True)} == {Relation.ADAPTER}
    assert {relation for _, relation in settled(told, is_adapter=False)} == {Relation.FINETUNE}
    assert evidence.looks_like_adapter(["adapter_model.safetensors"], [])
    assert evidence.looks_like_adapter([], ["unet.lora_down.weight"])
    assert not evidence.looks_like_adapter(["model.safetensors"], ["explorations.weight"])


class TestWithAHub:
    pytestmark = db

    def test_config_and_merge_recipe_hold_what_the_card_leaves_out(self) -> None:
        config = json.dumps({"_name_or_path": BASE}).encode()
        repo = model(make_viewer(), "quiet", {**MIT, "config.json": config})
        assert (repo.clearance, codes(repo, "block")) == ("blocked", ["LIN-RELICENSED"])
        recipe = f"models: [{{model: {BASE}}}, {{model: google/gemma-2-9b}}]".encode()
        merged = model(make_viewer(), "merged", {**MIT, "mergekit_config.yml": recipe})
        assert {edge.relation for edge in LineageEdge.objects.filter(repo=merged)} == {"merge"}
        assert "LIN-RELICENSED" in codes(merged, "block")

    def test_the_same_file_and_the_same_tensors_lead_to_who_had_them_first(self) -> None:
        ann, ben = make_viewer("ann"), make_viewer("ben")
        noise = np.random.default_rng(1).standard_normal((4, 128, 128)).astype(np.float32)
        first = _with_weights(ann, "Llama-first", {"a": noise[0], "b": noise[1]}, base=BASE)
        copy = _with_weights(ben, "copy", {"a": noise[0], "b": noise[1]})
        assert _edges(copy) == {("bytes", "copy", first.key)}
        assert "LIN-RELICENSED" in codes(copy, "block")
        _digest()
        cut = _with_weights(ben, "cut", {"b": noise[1], "new": noise[2]})
        _digest()
        assert TensorDigest.objects.count() == 4
        assert {one[:2] for one in _edges(again(cut))} == {("tensors", "finetune")}
        assert "LIN-RELICENSED" in codes(cut, "block")
        assert _edges(again(first)) == {("card", "finetune", BASE.lower())}
        other = _with_weights(ben, "other", {"c": noise[3]})
        _digest()
        assert (_edges(again(other)), again(other).clearance) == (set(), "clear")

    def test_a_reviewer_adds_and_strikes_out_a_parent(self) -> None:
        ann, rita = make_viewer("ann"), make_viewer(staff=True)
        repo = model(ann, "plain", dict(MIT))
        with pytest.raises(NotAllowed):
            lineage_edits.set_parent(ann, repo, parent=BASE, relation="finetune")
        with pytest.raises(BadRequest):
            lineage_edits.set_parent(rita, repo, parent=BASE, relation="cousin")
        lineage_edits.set_parent(rita, repo, parent=BASE, relation="finetune")
        assert "LIN-RELICENSED" in codes(again(repo))
        lineage_edits.drop_parent(rita, repo, parent=BASE)
        assert again(repo).clearance == "clear"
        push(ann, repo, {"README.md": card("mit", base=BASE)})
        assert again(repo).clearance == "blocked"
        lineage_edits.set_parent(rita, repo, parent=BASE, relation="unrelated")
        assert again(repo).clearance == "clear"
        assert [one["key"] for one in case_of(repo).lineage["nodes"]] == [repo.full_name]

    def test_a_model_that_bears_a_known_id_is_under_that_ones_terms(self) -> None:
        viewer = make_viewer("meta-llama")
        repo = model(viewer, "Llama-3.1-8B", dict(MIT))
        assert (repo.clearance, codes(repo, "block")) == ("blocked", ["LIC-MISMATCH"])
        tuned = model(
            make_viewer(), "tuned", {"README.md": card("mit", base=BASE), "LICENSE": MIT["LICENSE"]}
        )
        assert "LIN-RELICENSED" in codes(tuned, "block")

    def test_the_header_of_a_file_that_names_another_license_is_told(self) -> None:
        ann = make_viewer()
        repo = make_repo(ann)
        weights = save({"a": np.ones((4, 4), np.float32)}, {"license": "cc-by-nc-4.0"})
        push_large(ann, repo, "model.safetensors", weights)
        push(ann, repo, dict(MIT))
        assert codes(again(repo)) == ["LIC-MISMATCH"]
        assert shipped_readings()["cc-by-nc-4.0"]


def _with_weights(viewer: Viewer, name: str, tensors: dict[str, np.ndarray], *, base: str = "") -> Repo:
    repo = make_repo(viewer, name)
    push_large(viewer, repo, "model.safetensors", save(tensors))
    push(viewer, repo, {**MIT, "README.md": card("llama3.1" if base else "mit", base=base)})
    return again(repo)


def _digest() -> None:
    """Do the work that waits for a quiet moment."""
    Job.objects.filter(kind="tensor-digests", state="waiting").update(due_at="2026-01-01T00:00Z")
    again(Repo.objects.order_by("created_at")[0])


def _edges(repo: Repo) -> set[tuple[str, str, str]]:
    return set(LineageEdge.objects.filter(repo=repo).values_list("source", "relation", "parent"))
