"""Watching over one child that cannot be started for a while."""

import os
import shutil
import sys
import time
from pathlib import Path

from hub.stack.processes import Child, Command
from hub.stack.supervisor import Watch


def test_a_child_that_cannot_be_started_is_tried_again_until_it_can(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    command = Command(name="sleeper", argv=[sys.executable, "-c", "import time; time.sleep(60)"])
    child = Child(command, logs=logs, run=tmp_path)
    child.start()
    watch, said = Watch(child), list[str]()
    shutil.rmtree(logs)
    child.kill()
    deadline = time.monotonic() + 10
    while not any("could not be started" in line for line in said):
        assert time.monotonic() < deadline
        watch.look(said.append)
    logs.mkdir()
    while child.pid is None:
        assert time.monotonic() < deadline
        watch.look(said.append)
    child.kill()


def test_a_child_lets_others_go_first_by_as_much_as_it_is_told(tmp_path: Path) -> None:
    said = tmp_path / "nice.log"
    command = Command(name="nice", argv=[sys.executable, "-c", "import os; print(os.nice(0))"], niceness=3)
    child = Child(command, logs=tmp_path, run=tmp_path)
    child.start()
    assert child.wait(30)
    assert said.read_text(encoding="ascii").strip() == str(min(os.nice(0) + 3, 19))
