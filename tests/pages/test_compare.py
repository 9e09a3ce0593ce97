"""Models side by side."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.comparing import Compared, Made
from hub.catalog.ggufs import Gguf
from hub.catalog.memory import GB, Need
from hub.catalog.models import Repo
from tests.factories import work
from tests.pages.kit import CARD, put, text_of, words_of
from tests.workers.making import ships_of

pytestmark = pytest.mark.django_db(transaction=True)

CONFIG = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 30, "vocab_size": 49152,
          "text_config": {"max_position_embeddings": 8192}}  # fmt: skip


def test_models_stand_side_by_side(client: Client, ada: User, make_repo: Callable[..., Repo]) -> None:
    make_repo("ada/planes", {"README.md": CARD, "config.json": json.dumps(CONFIG).encode()})
    ships_of(Viewer(user=ada))
    work()
    Repo.objects.filter(name="planes").update(
        clearance="clear", concluded=["apache-2.0"], uses=["commercial"], openness=4, users_limit=700_000_000
    )
    words = words_of(client.get("/compare", {"model": ["ada/planes", "ada/ships"]}))
    for said in (
        "LlamaForCausalLM",
        "8,192",
        "49,152",
        "BF16",
        "not settled",
        "not without conditions",
        "none (dense)",
    ):
        assert said in words
    assert words.index("planes") < words.index("ships")
    page = client.get("/compare", {"model": ["ada/planes", "ada/ships"], "ram": "8"})
    assert "In 8 GB" in words_of(page) and "nothing fits" in words_of(page)
    # Of the ships only the header of a GGUF file tells.
    assert page.context["found"][1].shape["layers"] == 4 and page.context["fitting"][1][0] == "BF16"


def test_the_finest_form_that_fits_is_named() -> None:
    gguf = Gguf(shards=(), architecture="llama", file_type="Q8_0", weights=1, problem="")
    made = Made(Repo(), gguf, None, Need(7 * GB, 0, 0))
    one = Compared(Repo(), quantizations=(made,), need=Need(14 * GB, 0, 0))
    assert [one.best(device) for device in (4, 8, 16)] == [None, ("Q8_0", 7 * GB), ("", 14 * GB)]


def test_five_models_are_too_many_and_the_limit_is_named(
    client: Client, make_repo: Callable[..., Repo]
) -> None:
    names = [make_repo(f"ada/m{number}").full_name for number in range(5)]
    answer = client.get("/compare", {"model": names})
    assert answer.status_code == 400
    assert "At most 4 models" in words_of(answer)


def test_a_private_model_reads_like_one_that_is_not_there(
    client: Client, ada: User, make_repo: Callable[..., Repo]
) -> None:
    secret = make_repo("ada/secret", {"README.md": CARD}, private=True)
    put(ada, secret, {"a.txt": b"a"})
    answers = [text_of(client.get("/compare", {"model": name})) for name in ("ada/secret", "ada/nothing")]
    assert answers[0].replace("secret", "nothing") == answers[1]


def test_without_names_the_page_says_how_to_begin(client: Client) -> None:
    assert "Nothing to compare yet" in words_of(client.get("/compare"))
