"""PURE: what the header of a file made here says of where it comes from, beside what its source's header says."""

from collections.abc import Mapping
from typing import Any

from gguf.constants import Keys

from workers.formats.added_metadata import Value
from workers.version import VERSION

SOURCE_COMMIT, SOURCE_FILE = "weighhouse.source.commit", "weighhouse.source.file"
CONVERTER_VERSION = "weighhouse.converter.version"
QUANTIZED_BY = "Weighhouse"
MAX_TEXT = 10_000
_General = Keys.General
# What the card calls it, and what the header does.
_CARD = (
    ("license", _General.LICENSE), ("license_name", _General.LICENSE_NAME), ("license_link", _General.LICENSE_LINK),
)  # fmt: skip


def header(
    *, repository: str, address: str, commit: str, path: str, card: Mapping[str, Any], named: bool
) -> dict[str, Value]:
    """Return the keys for a file made from `path` of a repository (`owner/name`) at a commit.

    `named`: the source's own header has a name already, which is kept.
    """
    owner, _, name = repository.rpartition("/")
    licences = {key: _text(card.get(word)) for word, key in _CARD}
    return {
        **({} if named else {_General.NAME: name}),
        **{key: text for key, text in licences.items() if text},
        _General.QUANTIZED_BY: QUANTIZED_BY,
        _General.SOURCE_URL: address,
        _General.SOURCE_REPO_URL: address,
        _General.BASE_MODEL_COUNT: 1,
        _General.BASE_MODEL_NAME.format(id=0): name,
        _General.BASE_MODEL_ORGANIZATION.format(id=0): owner,
        _General.BASE_MODEL_REPO_URL.format(id=0): address,
        SOURCE_COMMIT: commit,
        SOURCE_FILE: path,
        CONVERTER_VERSION: VERSION,
    }


def _text(said: Any) -> str:
    """One text of what a card says; of several licences all."""
    words = said if isinstance(said, list) else [said]
    return ", ".join(str(word) for word in words if isinstance(word, str)).replace("\0", "")[:MAX_TEXT]
