"""``python -m hub.stack.tether PROGRAM WORDS...``: run a Python program whose forked children never outlive it.

Gunicorn and Celery fork their workers themselves, so the supervisor cannot tie those to their parent; this
does.
"""

import os
import runpy
import signal
import sys

from hub.stack.processes import follow_parent


def main() -> None:
    """Tie every later fork of this process to it, then become the program."""
    program = sys.argv[1]
    os.register_at_fork(after_in_child=lambda: follow_parent(signal.SIGKILL))
    sys.argv = sys.argv[1:]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
