"""The version that headers tell is the project's."""

import tomllib
from pathlib import Path

from workers.version import VERSION


def test_the_version_in_headers_is_that_of_the_project() -> None:
    told = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert told["project"]["version"] == VERSION
