"""Collections by the stock client."""

from typing import Any

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.factories import make_repo, make_viewer, with_token


def test_the_stock_client_gathers_orders_and_deletes(live_server: Any) -> None:
    ada, bob = make_viewer("ada"), make_viewer("bob")
    assert ada.user and bob.user
    for name in ("ships", "boats"):
        make_repo(ada, name)
    make_repo(ada, "hidden", private=True)
    api = HfApi(endpoint=live_server.url, token=with_token(ada.user)[1])
    other = HfApi(endpoint=live_server.url, token=with_token(bob.user)[1])
    made = api.create_collection("Good ships", namespace="ada", description="Fast", private=False)
    assert made.slug.startswith("ada/good-ships-")
    assert api.create_collection("Good ships", namespace="ada", exists_ok=True).slug == made.slug
    with pytest.raises(HfHubHTTPError):
        api.create_collection("Good ships", namespace="ada")
    for name, note in (("ships", "First"), ("boats", None), ("hidden", None)):
        api.add_collection_item(made.slug, f"ada/{name}", "model", note=note)
    api.add_collection_item(made.slug, "ada/ships", "model", exists_ok=True)
    seen = other.get_collection(made.slug)
    assert [(item.item_id, item.note) for item in seen.items] == [("ada/ships", "First"), ("ada/boats", None)]
    items = api.get_collection(made.slug).items
    api.update_collection_item(made.slug, items[1].item_object_id, note="Second", position=0)
    assert [item.item_id for item in api.get_collection(made.slug).items][:2] == ["ada/boats", "ada/ships"]
    api.delete_collection_item(made.slug, items[2].item_object_id)
    with pytest.raises(HfHubHTTPError):
        api.delete_collection_item(made.slug, items[2].item_object_id)
    changed = api.update_collection_metadata(made.slug, title="Better ships", theme="green")
    assert (changed.title, changed.theme) == ("Better ships", "green")
    assert [one.title for one in other.list_collections(owner="ada", item="models/ada/ships")] == [
        "Better ships"
    ]
    with pytest.raises(HfHubHTTPError):
        other.update_collection_metadata(made.slug, title="Mine")
    api.update_collection_metadata(made.slug, private=True)
    with pytest.raises(HfHubHTTPError):
        other.get_collection(made.slug)
    api.delete_collection(made.slug)
    api.delete_collection(made.slug, missing_ok=True)
