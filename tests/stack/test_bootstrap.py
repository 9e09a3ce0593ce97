"""The environment: found in pip's own settings, and quick when there is nothing to do."""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hub.stack import bootstrap


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_the_environment_stands_above_the_files_of_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://index.example.org/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert bootstrap.configured("index-url") == "https://index.example.org/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example.org/simple")
    assert bootstrap.configured("index-url") == "https://other.example.org/simple"


def test_a_pip_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip" / "files").mkdir(parents=True)
    (tmp_path / "pip" / "index.html").write_text(f'<a href="files/{bootstrap.PIP_WHEEL}#sha256=0">pip</a>')
    (tmp_path / "pip" / "files" / bootstrap.PIP_WHEEL).write_bytes(b"something else")
    with serving(tmp_path) as address:
        monkeypatch.setenv("PIP_INDEX_URL", address)
        with pytest.raises(bootstrap.BootstrapError, match="does not offer"):
            bootstrap.fetch_pip()


def test_an_unchanged_lock_needs_no_work(tmp_path: Path) -> None:
    for name in (bootstrap.RUN_LOCK, bootstrap.DEV_LOCK):
        (tmp_path / name).write_text(name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    digest = bootstrap._sha256(bootstrap.RUN_LOCK.encode())
    (tmp_path / ".venv" / bootstrap.STAMP).write_text(f"{bootstrap.RUN_LOCK} {digest}\n")
    assert bootstrap.ensure(tmp_path) == str(python)


def test_uv_is_told_what_pip_is_set_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    (tmp_path / "pip.conf").write_text(
        "[global]\nextra-index-url = https://one.example.org/simple\n  https://two.example.org/simple\n"
        "find-links = /below\n[install]\nfind-links = /wheels\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example.org/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "true")
    words = " ".join(bootstrap.uv_words(bootstrap.pip_settings(Path(sys.executable))))
    assert "--index-url https://index.example.org/simple" in words
    assert (
        "--extra-index-url https://one.example.org/simple --extra-index-url https://two.example.org" in words
    )
    assert "--find-links /wheels" in words and "/below" not in words
    assert words.endswith("--no-index")
