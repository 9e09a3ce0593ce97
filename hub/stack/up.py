"""What ``manage.py up`` does, from an empty folder to ``ready`` and back to nothing running."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub.env import BadSetting, Env
from hub.stack.doors import Doors, hub_settings
from hub.stack.errors import StackError
from hub.stack.layout import Layout, write_env, write_private
from hub.stack.processes import Child, follow_parent, stop_all, wait_until
from hub.stack.servers import RunningServers, start_servers
from hub.stack.supervisor import StopAsked, ignore_stops, listen_for_stop, watch_for_ever

READY_SECONDS = 90.0
# The whole stop stays under five seconds: the servers get what the processes before them left, but never nothing.
STOP_SECONDS, PROCESSES_STOP_SECONDS, SERVERS_AT_LEAST_SECONDS = 4.4, 2.8, 1.0


class Hub:
    """One run of the whole hub on one data folder."""

    def __init__(self, base_dir: Path, say: Callable[[str], None]) -> None:
        self.base_dir = base_dir
        self.say = say
        self.servers: RunningServers | None = None
        self.children: list[Child] = []

    def run(self) -> int:
        """Start everything, watch over it until told to stop, stop it; return the exit status."""
        listen_for_stop()
        try:
            self._start()
            servers = self.servers.children if self.servers else []
            watch_for_ever([*servers, *self.children], self.say)
        except StopAsked:
            self.say("stopping")
            return 0
        except (StackError, BadSetting) as error:
            self.say(str(error))
            return 1
        finally:
            ignore_stops()
            self._stop()

    def _start(self) -> None:
        data_dir = Path(os.environ.get("HUB_DATA") or self.base_dir / "var").absolute()
        self.servers = start_servers(data_dir, env=os.environ, say=self.say)
        settings = hub_settings(os.environ, self.servers.env, data_dir=data_dir)
        layout = self.servers.layout
        write_env(
            layout.hub_env,
            settings,
            title="The settings that the hub last ran with; written by `manage.py up`.",
        )
        doors = Doors(self.base_dir, env=settings)
        doors.check_ports()
        self.say("preparing the database")
        self._manage(layout, settings, "prepare")
        for command in doors.commands():
            self.say(f"starting {command.name}")
            child = Child(command, logs=layout.logs, run=layout.run)
            self.children.append(child)
            child.start()
        answers = (doors.web_answers, doors.bytes_answer, doors.worker_answers)
        for answer, child in zip(answers, self.children, strict=False):
            wait_until(answer, child, seconds=READY_SECONDS)
        self._put_demo(layout, settings)
        self._greet(layout, doors)
        if Env(settings).flag("HUB_LICENSE_TEXTS", True) and not layout.license_texts.exists():
            self.say("fetching the texts of licences in the background (HUB_LICENSE_TEXTS=0 leaves them out)")
            threading.Thread(target=self._fetch_texts, args=(layout, settings), daemon=True).start()

    def _fetch_texts(self, layout: Layout, settings: dict[str, str]) -> None:
        """Fetch the canonical texts of licenses; their terms are known without, so a failure is only told."""
        try:
            self._manage(layout, settings, "fetch_license_texts")
        except StackError as error:
            self.say(f"the texts of licences could not be fetched, the next start tries again: {error}")
        else:
            self.say("the texts of licences are loaded")

    def _manage(self, layout: Layout, settings: dict[str, str], command: str) -> None:
        """Run a ``manage.py`` command with its own log; raises StackError with the log's tail when it fails."""
        log = layout.logs / f"{command}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                [sys.executable, "manage.py", command],
                env={**os.environ, **settings},
                cwd=self.base_dir,
                stdin=subprocess.DEVNULL,
                preexec_fn=partial(follow_parent, signal.SIGKILL),
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
            raise StackError(f"`manage.py {command}` failed ({log}):\n{tail}")

    def _put_demo(self, layout: Layout, settings: dict[str, str]) -> None:
        """Put the demo in, once per data folder; the hub is of use without it, so a failure is only told."""
        if layout.demo_made.exists() or not Env(settings).flag("HUB_DEMO", True):
            return
        self.say("putting in the demo (HUB_DEMO=0 leaves it out)")
        try:
            self._manage(layout, settings, "seed_demo")
        except StackError as error:
            self.say(f"the demo could not be put in: {error}")
            return
        write_private(layout.demo_made, "")

    def _greet(self, layout: Layout, doors: Doors) -> None:
        self.say(f"ready {doors.url}")
        if layout.admin_password.is_file():
            self.say(f"log in as admin with the password in {layout.admin_password}")

    def _stop(self) -> None:
        started = time.monotonic()
        # A task that a killed worker had in hand is a job with a lease, taken up again at the next start.
        stop_all(self.children, seconds=PROCESSES_STOP_SECONDS)
        if self.servers:
            left = STOP_SECONDS - (time.monotonic() - started)
            self.servers.stop(seconds=max(left, SERVERS_AT_LEAST_SECONDS))
            self.say(f"stopped in {time.monotonic() - started:.1f} s")


def say(line: str) -> None:
    """Tell the operator, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the hub of this checkout; ``--with-parent`` stops it when the program that started it ends."""
    if "--with-parent" in sys.argv:
        follow_parent(signal.SIGTERM)
    return Hub(Path(__file__).resolve().parent.parent.parent, say).run()


if __name__ == "__main__":
    sys.exit(main())
