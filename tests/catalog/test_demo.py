"""The demo: what is made here is sound, and putting it in twice adds nothing."""

import numpy as np
import pytest
from django.test import override_settings
from safetensors.numpy import load

from hub.catalog import demo
from hub.catalog.lookups import count_history
from tests.factories import at, make_viewer, work

pytestmark = pytest.mark.django_db(transaction=True)


def _weights() -> list[np.ndarray]:
    shards = [content for path, content in demo.tiny_model().items() if path.endswith(".safetensors")]
    return [tensor for shard in shards for tensor in load(shard).values()]


@override_settings(HUB_PROOF_WAIT=0)
def test_the_demo_is_pushed_proven_and_found_sound() -> None:
    viewer = make_viewer(staff=True)
    repo = demo.seed(viewer, "model", "tiny-llama", demo.tiny_model())
    assert repo is not None
    assert not demo.is_there("model", "nothing")
    work()
    facts = at(repo).facts
    assert facts["findings"] == []
    assert facts["complete"] is True
    assert facts["safetensors"]["parameters"] == {"F16": sum(t.size for t in _weights())}
    assert demo.seed(viewer, "model", "tiny-llama", demo.tiny_model()) is None
    assert count_history(repo, at(repo).commit) == 2
