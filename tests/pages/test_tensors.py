"""The tensors of a model: folded into patterns, filtered by name, and drawn as a map."""

import re
import struct
from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import Repo
from hub.catalog.tensors import Row, fold
from hub.pages import headers
from hub.pages.treemap import boxes
from tests.pages.kit import text_of, words_of
from tests.workers.making import ships_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/ada/ships/tensors"


def row(name: str, shape: tuple[int, ...] = (4, 4), dtype: str = "F32") -> Row:
    return Row(name, dtype, shape, 16, 64, "model.safetensors")


def test_names_that_differ_in_numbers_are_one_pattern() -> None:
    names = [
        f"model.layers.{layer}.mlp.experts.{expert}.up_proj.weight" for layer in (3, 4) for expert in range(8)
    ]
    (found,) = fold(map(row, names))
    assert found.name == "model.layers.3–4.mlp.experts.0–7.up_proj.weight"
    assert (found.count, found.weights, found.part) == (16, 256, "Feed-forward")


def test_shapes_types_and_parts_are_kept_apart() -> None:
    found = fold(
        [
            row("blk.0.attn_q.weight"),
            row("blk.1.attn_q.weight", (4, 8)),
            row("blk.2.attn_q.weight", dtype="Q4_K"),
            row("blk.0.attn_norm.weight"),
            row("token_embd.weight"),
            row("fc2d.h1.weight"),
        ]
    )
    assert [(one.part, one.name) for one in found] == [
        ("Embedding and head", "token_embd.weight"),
        ("Attention", "blk.0.attn_q.weight"),
        ("Attention", "blk.1.attn_q.weight"),
        ("Attention", "blk.2.attn_q.weight"),
        ("Norms", "blk.0.attn_norm.weight"),
        ("Others", "fc2d.h1.weight"),
    ]


def test_names_that_nobody_would_write_are_folded_like_others() -> None:
    names = [f"a.{'9' * 4999}.w", f"b.{'1' * 19}.w", "c.007.w", "c.8.w", "1." * 5000]
    found = {one.name for one in fold(map(row, names))}
    assert {f"b.{'1' * 19}.w", "c.7–8.w", "1." * 150 + "…"} < found
    assert max(map(len, found)) == 301


@pytest.mark.parametrize("values", [[6, 6, 4, 3, 2, 2, 1], [1], [5, 0, 5], [1e12, 1, 1]])
def test_areas_fill_the_map_by_their_shares(values: list[float]) -> None:
    found = boxes(values, 960, 240)
    assert sorted(box.index for box in found) == [index for index, value in enumerate(values) if value]
    for box in found:
        assert box.width * box.height == pytest.approx(values[box.index] * 960 * 240 / sum(values))
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= 960.001 and box.y + box.height <= 240.001


def test_the_page_shows_what_inspections_read(client: Client, ada: User) -> None:
    ships_of(Viewer(user=ada))
    assert f'href="{PAGE}"' in text_of(client.get("/ada/ships"))
    words = words_of(client.get(PAGE))
    counted = re.search(r"Tensors ([0-9]+)\n", words_of(client.get("/ada/ships")))
    assert counted and f"{counted[1]} tensors" in words
    assert "ships-BF16.gguf" in words
    assert "token_embd.weight" in words
    assert "general.architecture" in words
    every = words_of(client.get(PAGE, {"view": "every"}))
    assert "blk.0.attn_q.weight" in every


def test_tensors_are_filtered_and_the_list_alone_is_sent_to_htmx(client: Client, ada: User) -> None:
    ships_of(Viewer(user=ada))
    answer = client.get(PAGE, {"q": "ATTN_Q", "view": "every"}, headers={"HX-Target": "tensor-list"})
    words = words_of(answer)
    assert "attn_q" in words and "token_embd" not in words
    assert "<main" not in text_of(answer)
    assert "No tensor’s name holds “<b>”." in words_of(client.get(PAGE, {"q": "<b>"}))


def test_patterns_come_in_pages(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ships_of(Viewer(user=ada))
    monkeypatch.setattr("hub.pages.tensors.PAGE", 1)
    first, second = (text_of(client.get(PAGE, {"skip": skip})) for skip in ("0", "1"))
    assert first.count('data-k="Count"') == second.count('data-k="Count"') == 1
    assert "Later</a>" in first and "Earlier</a>" in second and first != second


def test_a_repo_without_weights_says_so(client: Client, make_repo: Callable[..., Repo]) -> None:
    make_repo("ada/words", {"README.md": b"# words"})
    assert "No tensors to show" in words_of(client.get("/ada/words/tensors"))


def test_a_private_repo_has_no_such_page_for_others(client: Client, ada: User) -> None:
    ships = ships_of(Viewer(user=ada))
    Repo.objects.filter(pk=ships.pk).update(private=True)
    assert client.get(PAGE).status_code == 404


def test_headers_are_told_as_people_read_numbers_and_lists() -> None:
    single = {
        one: struct.unpack("<f", struct.pack("<f", one))[0] for one in (1e-5, 100000.0, 3.4028235e38, 0.1)
    }
    assert [headers.short_float(one) for one in single.values()] == [
        "1e-05",
        "100000",
        "3.4028235e+38",
        "0.1",
    ]
    assert [headers.short_float(one) for one in (0.1, 1e300, -2.0)] == ["0.1", "1e+300", "-2"]
    tokens = {"type": "str", "len": 48_900, "head": ["Ġ t", "Ġ a"]}
    assert headers.line(tokens) == "48,900 strings: Ġ t, Ġ a, …"
    found = headers.groups_of(
        {"llama.b": 1, "tokenizer.x": tokens, "general.name": "n", "llama.a": True, "format": "pt"}
    )
    assert [group for group, _ in found] == ["", "general", "llama", "tokenizer"]
    assert found[2][1] == [("llama.a", "true"), ("llama.b", "1")]
