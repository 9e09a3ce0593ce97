"""Running files on a text: what cannot be run is told, and nothing else is harmed."""

from pathlib import Path

import pytest

from tests.workers.quantizing.small import model_bytes, write
from workers import quality
from workers.quality import QualityError, measure


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, b"GGUF" + b"\xff" * 100)
    with pytest.raises(QualityError, match="does not load"):
        measure(path, base=None, seconds=60, tell=lambda share: None)


def test_a_model_without_words_is_told(tmp_path: Path) -> None:
    with pytest.raises(QualityError):
        measure(write(tmp_path, model_bytes()), base=None, seconds=60, tell=lambda share: None)


def test_time_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(QualityError, match="more than 0 seconds"):
        measure(write(tmp_path, model_bytes()), base=None, seconds=0, tell=lambda share: None)


def test_whoever_watches_may_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "LOOK_SECONDS", 0.001)

    def stop(share: float) -> None:
        raise KeyError(share)

    with pytest.raises(KeyError):
        measure(write(tmp_path, model_bytes()), base=None, seconds=60, tell=stop)
