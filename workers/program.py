"""What the programs for models share: how they end, how they read numbers, and their progress bar."""

import argparse
import re
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Protocol

STOPPED = 130
GB = 10**9
BAR = 30
PAUSE = 0.1
SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)B?", re.ASCII)
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Progress(Protocol):
    """How far a run is, in bytes."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def tensor(self) -> str: ...


def finish(work: Callable[[], None], *refusals: type[Exception]) -> int:
    """Do the work; the result is the program's exit status: 1 and a line for a refusal, 130 where it was stopped."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        work()
    except refusals as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was kept", file=sys.stderr)
        return STOPPED
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def positive(text: str) -> int:
    """A whole number above zero, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def size(text: str) -> int:
    """Bytes, for argparse: a number above zero, or with a unit of a thousand such as 48G or 5GB."""
    found = SIZE.fullmatch(text.upper())
    number = int(found[1]) * UNITS[found[2]] if found else 0
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write bytes, or a number with K, M, G or T")
    return number


class Bar:
    """A progress bar, drawn ten times a second at most, and only on a terminal. Leaving the block clears it."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self.started = time.monotonic()
        self.drawn = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if not self.shown or now - self.drawn < PAUSE:
            return
        self.drawn = now
        share = progress.done / max(progress.total, 1)
        rate = progress.done / max(now - self.started, PAUSE)
        left = (progress.total - progress.done) / max(rate, 1)
        bar = "#" * round(share * BAR)
        self._draw(
            f"[{bar:.<{BAR}}] {share:4.0%} {rate / GB:5.2f} GB/s {left:4.0f} s left  {progress.tensor}"
        )

    def _draw(self, line: str) -> None:
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self._draw("")
