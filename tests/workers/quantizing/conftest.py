"""The tiny models of the goldens, each built when a test first asks for it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.workers.quantizing.models import RECIPES, build

Built = Callable[[str], tuple[Path, Path]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A model and its importance matrix by the model's name."""
    folder = tmp_path_factory.mktemp("models")
    return cache(lambda name: build(RECIPES[name], folder))
