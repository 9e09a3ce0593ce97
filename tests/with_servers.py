"""``python -m tests.with_servers PROGRAM WORDS...``: run a program beside fresh servers, then throw them away.

For checks that want a database but keep nothing in it.  Returns the program's exit status.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hub.stack.servers import start_servers


def main() -> int:
    """Start the servers in a temporary folder and run the program with the settings that lead to them."""
    with tempfile.TemporaryDirectory(prefix="hub-check-") as place:
        servers = start_servers(Path(place), env={"HUB_STACK_FSYNC": "0"})
        try:
            env = {**os.environ, **servers.env, "HUB_DATA": place}
            return subprocess.run(sys.argv[1:], env=env, check=False).returncode
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
