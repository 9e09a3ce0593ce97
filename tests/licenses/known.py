"""The canonical texts that tests and measurements compare with; fetched once for an environment."""

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

from licenses.detect import Corpus
from licenses.matches import Canonical
from licenses.shipped import shipped_readings
from licenses.texts import fetch_texts

FOLDER = Path(sys.prefix) / "share" / "weighhouse" / "license-texts"


@functools.cache
def texts() -> Mapping[str, str]:
    return fetch_texts(FOLDER)


@functools.cache
def canonical() -> tuple[Canonical, ...]:
    return tuple(
        Canonical(one.id, document.kind, document.version, texts()[document.key])
        for one in shipped_readings().values()
        for document in one.documents
    )


@functools.cache
def corpus() -> Corpus:
    return Corpus(canonical())


def text_of(license_id: str) -> str:
    return next(one.text for one in canonical() if one.license == license_id and one.kind == "license")
