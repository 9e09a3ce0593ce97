"""Starting, finding and stopping processes that never outlive whoever started them.

On Linux the kernel itself signals a child when its parent dies (``PR_SET_PDEATHSIG``), so a supervisor that
is killed leaves nothing behind.  Where the kernel has no such thing, the pid files in ``run/`` let the next
start sweep up.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.stack.errors import StackError

PR_SET_PDEATHSIG = 1
LOG_BYTES_KEPT = 16 * 2**20
LEFTOVER_GRACE_SECONDS = 8.0

HAS_PROC = Path("/proc/self/stat").exists()

_libc = ctypes.CDLL(None, use_errno=True)


def follow_parent(death_signal: signal.Signals) -> None:
    """Ask the kernel to send ``death_signal`` to this process when its parent ends (Linux only)."""
    if HAS_PROC:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


@dataclass(frozen=True)
class Command:
    """One program to run: what, how it is stopped, what it gets when its parent dies, and how far others go first."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    prepare_child: Callable[[], None] | None = None
    cwd: Path | None = None
    # Added to the niceness of whoever starts it.
    niceness: int = 0


class Child:
    """A running `Command` with its log file and pid file."""

    def __init__(self, command: Command, *, logs: Path, run: Path) -> None:
        self.command = command
        self.log = logs / f"{command.name}.log"
        self.pid_file = run / f"{command.name}.pid"
        self.started_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """The exit status once it has ended."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the program in a process group of its own, so that Ctrl-C reaches only the supervisor."""
        turn_log(self.log)
        supervisor = os.getpid()

        def prepare() -> None:
            os.nice(self.command.niceness)
            if self.command.prepare_child:
                self.command.prepare_child()
            follow_parent(self.command.death_signal)
            if HAS_PROC and os.getppid() != supervisor:
                os._exit(1)

        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(self.command.argv),
                env={**os.environ, **self.command.env},
                cwd=self.command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=prepare,  # noqa: PLW1509 - the supervisor has one thread.
            )
        self.started_at = time.monotonic()
        self.pid_file.write_text(f"{self._process.pid} {birth(self._process.pid)}\n", encoding="ascii")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the program still runs."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def ask_to_stop(self) -> None:
        """Send the program's own polite stop signal."""
        self.signal(self.command.stop_signal)

    def wait(self, seconds: float) -> bool:
        """Wait for the program to end; False when it still runs after ``seconds``."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout=max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return False
        self.pid_file.unlink(missing_ok=True)
        return True

    def kill(self) -> None:
        """End the whole process group, now."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self.wait(5.0)

    def log_tail(self, lines: int = 8) -> str:
        """Return the last lines that the program wrote."""
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])


def stop_all(children: Sequence[Child], *, seconds: float) -> None:
    """Ask all to stop at once, give them ``seconds`` together, then kill what is left."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + seconds
    for child in children:
        if not child.wait(deadline - time.monotonic()):
            child.kill()


def wait_until(ready: Callable[[], bool], child: Child, *, seconds: float) -> None:
    """Poll ``ready`` until it says yes; raises StackError when the child ends or the time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child.exit_code is not None:
            raise StackError(f"{child.command.name} ended with status {child.exit_code}.\n{child.log_tail()}")
        if time.monotonic() > deadline:
            raise StackError(
                f"{child.command.name} did not answer within {seconds:.0f} s.\n{child.log_tail()}"
            )
        time.sleep(0.02)


def turn_log(log: Path) -> None:
    """Keep one older log beside a new one when the log has grown past its bound."""
    if log.is_file() and log.stat().st_size > LOG_BYTES_KEPT:
        log.replace(log.with_suffix(".log.1"))


def birth(pid: int) -> str:
    """Return a mark that tells this process from a later one with the same number; empty when it is gone."""
    if HAS_PROC:
        try:
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]
    shown = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "-".join(shown.stdout.split())


def sweep_leftovers(run: Path) -> None:
    """Wait for processes of an earlier run that are still ending, then kill those that do not.

    Only for whoever holds the lock of the data folder.
    """
    deadline = time.monotonic() + LEFTOVER_GRACE_SECONDS
    for pid_file in sorted(run.glob("*.pid")):
        pid_text, _, mark = pid_file.read_text(encoding="ascii").strip().partition(" ")
        while pid_text.isdigit() and mark and birth(int(pid_text)) == mark:
            if time.monotonic() > deadline:
                os.kill(int(pid_text), signal.SIGKILL)
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)
