"""Ways to use a repo are those that work for its files, from this hub, as the reader is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import Repo
from tests.pages.kit import CARD, pointer_of, put, words_of
from tests.workers.making import ships_of

Maker = Callable[..., Repo]


@pytest.mark.django_db(transaction=True)
def test_files_in_gguf_are_for_llama_cpp_and_ollama(client: Client, ada: User) -> None:
    ships_of(Viewer(user=ada))
    words = words_of(client.get("/ada/ships/use"))
    for said in (
        "export HF_ENDPOINT=http://testserver", "llama-server -hf ada/ships:BF16", "FROM ./ships-BF16.gguf",
        "ollama create ships-bf16 -f Modelfile", "hf download ada/ships",
    ):  # fmt: skip
        assert said in words
    assert "HF_TOKEN" not in words and "vllm" not in words
    card = words_of(client.get("/ada/ships"))
    assert "llama.cpp" in card and "Fits your memory" in card


def test_safetensors_are_for_transformers_and_vllm(client: Client, ada: User, make_repo: Maker) -> None:
    repo = make_repo("ada/ships")
    card = CARD.replace(b"---\n# ", b"library_name: transformers\n---\n# ", 1)
    put(ada, repo, {"README.md": card, "model.safetensors": pointer_of(repo, b"weights")})
    words = words_of(client.get("/ada/ships/use"))
    assert "vllm serve ada/ships" in words
    assert 'pipeline("text-generation", "ada/ships")' in words
    assert "llama-server" not in words


def test_data_sets_are_read_as_tables(client: Client, ada: User, make_repo: Maker) -> None:
    make_repo("ada/words", {"README.md": b"# Words\n", "data.jsonl": b'{"a": 1}\n' * 9}, kind="dataset")
    words = words_of(client.get("/datasets/ada/words/use"))
    assert 'load_dataset("ada/words")' in words and "--repo-type dataset" in words
    assert "pipeline(" not in words


@pytest.mark.parametrize("closed", [{"private": True}, {"gated": "manual"}])
def test_closed_repos_ask_for_a_token(browser: Client, make_repo: Maker, closed: dict[str, Any]) -> None:
    repo = make_repo("ada/ships", {"README.md": CARD})
    Repo.objects.filter(pk=repo.pk).update(**closed)
    words = words_of(browser.get("/ada/ships/use"))
    assert "export HF_TOKEN=hf_…  # from http://testserver/settings/tokens" in words
    assert '-H "Authorization: Bearer $HF_TOKEN"' in words
    assert 'token="hf_…"' in words


def test_names_that_a_card_or_a_file_chooses_cannot_leave_their_quotes(
    client: Client, ada: User, make_repo: Maker
) -> None:
    repo = make_repo("ada/ships")
    card = b"---\npipeline_tag: 'x\"); import os; os.system(\"id'\nlibrary_name: transformers\n---\n"
    put(ada, repo, {"README.md": card, "$(id) '; rm.bin": pointer_of(repo, b"w" * 5000)})
    words = words_of(client.get("/ada/ships/use"))
    assert 'pipeline("ximportosos.systemid"' in words
    assert "resolve/main/%24%28id%29%20%27%3B%20rm.bin" in words
