"""llama.cpp out of the optional package xllamacpp, as far as it takes to ask a model for its logits.

Whatever is passed by value goes through as it came, in room enough for any release; only the batch is filled in here.
A broken model may end the process, so nothing but a process made for it calls this.
"""

import ctypes
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

PACKAGE = "xllamacpp"
ROOM = 1024
INT, POINTER = ctypes.c_int32, ctypes.c_void_p


class LlamaError(Exception):
    """The model cannot be run."""


class _Parameters(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint8 * ROOM)]


class _Batch(ctypes.Structure):
    _fields_ = [
        ("count", INT), ("tokens", ctypes.POINTER(INT)), ("embeddings", POINTER), ("positions", ctypes.POINTER(INT)),
        ("sequence_counts", ctypes.POINTER(INT)), ("sequences", ctypes.POINTER(ctypes.POINTER(INT))),
        ("wanted", ctypes.POINTER(ctypes.c_int8)),
    ]  # fmt: skip


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, POINTER)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "llama_log_set": (None, [_LOG, POINTER]),
    "llama_backend_init": (None, []),
    "llama_model_default_params": (_Parameters, []),
    "llama_context_default_params": (_Parameters, []),
    "llama_model_load_from_file": (POINTER, [ctypes.c_char_p, _Parameters]),
    "llama_init_from_model": (POINTER, [POINTER, _Parameters]),
    "llama_set_n_threads": (None, [POINTER, INT, INT]),
    "llama_n_ctx": (ctypes.c_uint32, [POINTER]),
    "llama_model_get_vocab": (POINTER, [POINTER]),
    "llama_vocab_n_tokens": (INT, [POINTER]),
    "llama_vocab_get_add_bos": (ctypes.c_bool, [POINTER]),
    "llama_vocab_bos": (INT, [POINTER]),
    "llama_tokenize": (INT, [POINTER, ctypes.c_char_p, INT, ctypes.POINTER(INT), INT, ctypes.c_bool, ctypes.c_bool]),
    "llama_batch_init": (_Batch, [INT, INT, INT]),
    "llama_batch_free": (None, [_Batch]),
    "llama_get_memory": (POINTER, [POINTER]),
    "llama_memory_clear": (None, [POINTER, ctypes.c_bool]),
    "llama_decode": (INT, [POINTER, _Batch]),
    "llama_get_logits": (ctypes.POINTER(ctypes.c_float), [POINTER]),
    "llama_free": (None, [POINTER]),
    "llama_model_free": (None, [POINTER]),
}  # fmt: skip
_quiet = _LOG(lambda level, text, data: None)


def _library() -> ctypes.CDLL:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise LlamaError(f"{PACKAGE} is not installed")
    path = next(Path(found.submodule_search_locations[0]).glob("*.so"), None)
    if path is None:
        raise LlamaError(f"{PACKAGE} has no library")
    library = ctypes.CDLL(str(path))
    try:
        for name, (answer, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = answer, arguments
    except AttributeError as error:
        raise LlamaError(f"this release of {PACKAGE} is not known: {error}") from error
    library.llama_log_set(_quiet, None)
    library.llama_backend_init()
    return library


class Llama:
    """A loaded model with room for one window of tokens (llama.cpp's default, 512)."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a model; raises LlamaError."""
        self._library = library = _library()
        self._model = library.llama_model_load_from_file(
            str(path).encode(), library.llama_model_default_params()
        )
        if not self._model:
            raise LlamaError(f"llama.cpp does not load {path.name}")
        self._context = library.llama_init_from_model(self._model, library.llama_context_default_params())
        if not self._context:
            raise LlamaError(f"llama.cpp makes no room to run {path.name}")
        library.llama_set_n_threads(self._context, threads, threads)
        self._vocabulary = library.llama_model_get_vocab(self._model)
        self.words = int(library.llama_vocab_n_tokens(self._vocabulary))
        self.window = int(library.llama_n_ctx(self._context))

    @property
    def beginning(self) -> int | None:
        """The token that every text begins with, if there is one."""
        if not self._library.llama_vocab_get_add_bos(self._vocabulary):
            return None
        return int(self._library.llama_vocab_bos(self._vocabulary))

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text."""
        raw = text.encode()
        room = (INT * (len(raw) + 16))()
        count = self._library.llama_tokenize(self._vocabulary, raw, len(raw), room, len(room), False, False)
        if count < 1:
            raise LlamaError("the model has no vocabulary for text")
        return list(room[:count])

    def logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """What the model says of the token after each of these, as rows; they hold until the next call."""
        library, count = self._library, len(tokens)
        library.llama_memory_clear(library.llama_get_memory(self._context), True)
        batch = library.llama_batch_init(count, 0, 1)
        try:
            batch.count = count
            for place, token in enumerate(tokens):
                batch.tokens[place], batch.positions[place], batch.wanted[place] = token, place, 1
                batch.sequence_counts[place], batch.sequences[place][0] = 1, 0
            if library.llama_decode(self._context, batch):
                raise LlamaError("llama.cpp did not run the model")
            found = library.llama_get_logits(self._context)
        finally:
            library.llama_batch_free(batch)
        if not found:
            raise LlamaError("the model tells no next token; it is none that writes text")
        return np.ctypeslib.as_array(found, (count, self.words))

    def close(self) -> None:
        self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()
