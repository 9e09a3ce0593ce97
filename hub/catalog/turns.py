"""Sharing what a process has little of between the people who want it, so that one person cannot take it all."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from hub.catalog.errors import StoreTrouble, TooManyAtOnce


class Turns:
    """Lets a few work at once, one for each person, and a few more of each person wait."""

    def __init__(self, *, at_once: int, waiting_each: int) -> None:
        self._at_once, self._waiting_each = at_once, waiting_each
        self._busy: set[Hashable] = set()
        self._waiting: Counter[Hashable] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, who: Hashable, *, patience: float) -> Iterator[None]:
        """Wait for a turn and have it as long as the block runs.

        Raises TooManyAtOnce where enough of the same person wait, StoreTrouble after `patience` seconds.
        """
        with self._changed:
            if self._waiting[who] >= self._waiting_each:
                raise TooManyAtOnce("Too many of your uploads are being checked; try again soon.")
            self._waiting[who] += 1
            free = self._changed.wait_for(lambda: self._is_free(who), timeout=patience)
            self._waiting[who] -= 1
            self._waiting += Counter()
            if not free:
                raise StoreTrouble("Too many uploads are being checked at the moment; try again soon.")
            self._busy.add(who)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(who)
                self._changed.notify_all()

    def _is_free(self, who: Hashable) -> bool:
        return who not in self._busy and len(self._busy) < self._at_once


class Seats:
    """Places to sit down for long: so many in all, and so many for each person."""

    def __init__(self, *, total: int, each: int) -> None:
        self._total, self._each = total, each
        self._taken: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def take(self, who: Hashable) -> bool:
        """Take a place; False where there is none left for this person."""
        with self._lock:
            if self._taken.total() >= self._total or self._taken[who] >= self._each:
                return False
            self._taken[who] += 1
            return True

    def leave(self, who: Hashable) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[who] -= 1
            self._taken += Counter()
