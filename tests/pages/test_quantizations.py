"""The page of a model's quantizations."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from safetensors.numpy import save

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import Job, Repo
from tests.factories import make_repo, push, push_large, work
from tests.pages.kit import logged_in, text_of, words_of
from tests.workers.converting.recipes import checkpoint
from tests.workers.making import push_folder, ships_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/ada/ships/quantizations"


@pytest.fixture
def ships(ada: User) -> Repo:
    return ships_of(Viewer(user=ada))


def test_a_maintainer_asks_watches_and_finds_the_files(browser: Client, ships: Repo) -> None:
    assert f'href="{PAGE}"' in text_of(browser.get("/ada/ships"))
    page = text_of(browser.get(PAGE))
    assert "ships-BF16.gguf" in page
    assert 'value="Q4_K_M"' in page
    assert "load delay" not in page
    answer = browser.post(PAGE, {"types": ["Q8_0", "Q4_0"]})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    waiting = browser.get(PAGE, headers={"HX-Request": "true", "HX-Target": "quantizations"})
    assert "load delay" in text_of(waiting)
    assert "<main" not in text_of(waiting)
    assert "Waiting for a worker" in words_of(waiting)
    work()
    words = words_of(browser.get(PAGE))
    assert "ships-Q8_0.gguf" in words
    assert "ships-GGUF" in words
    assert "made here" in words
    own = words_of(browser.get("/ada/ships-GGUF/quantizations"))
    assert "made here" in own and "Error" in own
    assert "load delay" not in text_of(browser.get(PAGE))


def test_each_type_says_what_it_takes_before_it_is_made(browser: Client, ships: Repo) -> None:
    words = words_of(browser.get(PAGE, {"ram": "4", "context": "2048"}))
    told = re.search(r"Q4_0\s+about ([0-9.]+) kB\s*([0-9.]+) MB in memory, fits 4 GB", words)
    assert told
    assert re.search(r"BF16\s+here already\s+about", words)
    browser.post(PAGE, {"types": "Q4_0"})
    work()
    after = browser.get(PAGE, headers={"HX-Request": "true", "HX-Target": "quantizations"})
    assert re.search(r'id="type-Q4_0" hx-swap-oob="true"><span class="badge">here already', text_of(after))
    line = re.search(r"ships-Q4_0\.gguf\s.*?([0-9.]+) kB", words_of(after), re.DOTALL)
    # What is made says beside its weights where it comes from.
    assert line and 0 <= float(line[1]) - float(told[1]) < 2


def test_a_conversion_is_cancelled_by_a_button(browser: Client, ships: Repo) -> None:
    browser.post(PAGE, {"types": "Q8_0"})
    job = Job.objects.get(kind="quantize")
    assert browser.post(f"{PAGE}/{job.pk}/cancel").status_code == 302
    assert "Cancelled by ada." in words_of(browser.get(PAGE))
    assert browser.get(f"{PAGE}/{job.pk}/cancel").status_code == 405


def test_what_is_wrong_with_the_form_is_said_beside_it(browser: Client, ships: Repo) -> None:
    answer = browser.post(PAGE, {})
    assert answer.status_code == 400
    assert "name at least one" in words_of(answer)


def test_others_see_the_files_and_neither_the_form_nor_the_work(
    browser: Client, client: Client, bob: User, ships: Repo
) -> None:
    browser.post(PAGE, {"types": "Q8_0"})
    for reader in (client, logged_in(bob)):
        page = text_of(reader.get(PAGE))
        assert "ships-BF16.gguf" in page
        assert 'name="types"' not in page
        assert "Conversions" not in page
    assert client.post(PAGE, {"types": "Q8_0"})["Location"].startswith("/login")
    assert logged_in(bob).post(PAGE, {"types": "Q8_0"}).status_code == 403
    job = Job.objects.get(kind="quantize")
    assert logged_in(bob).post(f"{PAGE}/{job.pk}/cancel").status_code == 403


def test_a_private_model_has_no_such_page_for_others(client: Client, browser: Client, ships: Repo) -> None:
    browser.post(PAGE, {"types": "Q8_0"})
    work()
    Repo.objects.filter(namespace=ships.namespace).update(private=True)
    assert client.get(PAGE).status_code == 404
    assert browser.get(PAGE).status_code == 200


def test_a_checkpoint_is_offered_with_its_matrix_or_with_what_is_wrong(
    browser: Client, ada: User, tmp_path: Path
) -> None:
    viewer = Viewer(user=ada)
    repo, folder = make_repo(viewer, "boats"), checkpoint("mistral-v1", tmp_path)
    push_folder(viewer, repo, folder)
    push_large(viewer, repo, "calibration.imatrix", b"text")
    page = browser.get("/ada/boats/quantizations")
    assert "From the checkpoint (llama, " in words_of(page)
    assert 'name="imatrix"' in text_of(page)
    assert "calibration.imatrix" in text_of(page)
    assert 'name="evaluate"' in text_of(page)
    assert 'href="/ada/boats/quantizations"' in text_of(browser.get("/ada/boats"))
    assert browser.post("/ada/boats/quantizations", {"types": ["Q8_0"]}).status_code == 302
    work()
    words = words_of(browser.get("/ada/boats/quantizations"))
    assert "boats-Q8_0.gguf" in words
    assert re.search(r"0\.[0-9]+%", words)
    push(viewer, repo, {"tokenizer.model": None})
    work()
    words = words_of(browser.get("/ada/boats/quantizations"))
    assert (
        "The checkpoint cannot be quantized: tokenizer.json: is missing; check its name, or add it" in words
    )


def test_everybody_learns_why_nothing_can_be_made(
    browser: Client, client: Client, ada: User, bob: User
) -> None:
    viewer = Viewer(user=ada)
    odd = make_repo(viewer, "odd")
    push(viewer, odd, {"config.json": b'{"architectures": ["Abacus"]}'})
    push_large(viewer, odd, "model.safetensors", save({"a": np.zeros((2, 3), np.float32)}))
    push_large(viewer, make_repo(viewer, "old"), "pytorch_model.bin", b"\x80\x02.")
    for reader in (client, logged_in(bob), browser):
        words = words_of(reader.get("/ada/odd/quantizations"))
        assert (
            "It cannot be quantized here, as this hub converts no models of the architecture Abacus." in words
        )
        assert "its weights are pickle files" in words_of(reader.get("/ada/old/quantizations"))
        assert ("can be pushed beside it" in words) is (reader is browser)
        assert "to make some" not in words
