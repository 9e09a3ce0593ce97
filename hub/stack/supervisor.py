"""Keeps children running: starts one again when it dies, until somebody asks to stop."""

import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from hub.stack.processes import Child

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
# A child that lived this long did not die of how it was started, so it is started again without a pause.
STEADY_SECONDS = 30.0


class StopAsked(BaseException):
    """Somebody pressed Ctrl-C or sent SIGTERM; not an error, so not an Exception."""


def listen_for_stop() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into `StopAsked`, once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore_stops()
        raise StopAsked

    for number in STOP_SIGNALS:
        signal.signal(number, stop)


def ignore_stops() -> None:
    """Let what stops already not be disturbed again; it takes a few seconds at most."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class Watch:
    """One child under watch, with the pause that it must wait before it is started again."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.pause = FIRST_PAUSE_SECONDS
        self.due: float | None = None

    def look(self, say: Callable[[str], None]) -> None:
        """Start the child again when it has died and its pause is over."""
        now = time.monotonic()
        if self.due is not None:
            if now >= self.due:
                self._start_again(say)
            return
        if self.child.exit_code is None:
            return
        if now - self.child.started_at > STEADY_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        name, code = self.child.command.name, self.child.exit_code
        say(f"{name} ended with status {code}, starting it again (log: {self.child.log})")
        self._wait_a_pause()

    def _start_again(self, say: Callable[[str], None]) -> None:
        """Start the child; a full disk or table of processes is no reason to give up the others."""
        self.due = None
        try:
            self.child.start()
        except OSError as error:
            say(f"{self.child.command.name} could not be started: {error}")
            if self.child.pid is None:
                self._wait_a_pause()

    def _wait_a_pause(self) -> None:
        self.due = time.monotonic() + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)


def watch_for_ever(children: Sequence[Child], say: Callable[[str], None]) -> NoReturn:
    """Keep all children running until `StopAsked` is raised."""
    watches = [Watch(child) for child in children]
    while True:
        for watch in watches:
            watch.look(say)
        time.sleep(POLL_SECONDS)
