"""Who has models quantized in these tests, and the model; a test file with another one brings its own.

Tables can be imported only once the servers run, which is after this file was read.
"""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def viewer() -> Any:
    """Ada, signed in."""
    return import_module("tests.factories").make_viewer("ada")


@pytest.fixture
def repo(viewer: Any) -> Any:
    """A model of bfloat16 of hers."""
    return import_module("tests.workers.making").ships_of(viewer)
