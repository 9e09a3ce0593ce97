"""Root starts programs that refuse to run as root: both ways, on real files of root's own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.stack import unroot
from hub.stack.errors import StackError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs these ways")
WAYS = [unroot.enter_one_user_namespace, unroot.become_nobody_with_entry]


@pytest.mark.parametrize("way", WAYS)
def test_root_looks_like_nobody_and_still_enters_private_folders(
    way: Callable[[], None], tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "words").write_text("still here")
    (private / "words").chmod(0o600)
    seen = subprocess.run(
        ["sh", "-c", 'id -u; cat "$0"', private / "words"],
        preexec_fn=way,
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout == f"{unroot.NOBODY}\nstill here"


def test_a_program_that_no_way_can_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="broken refuses to run as root"):
        unroot.way_for(tmp_path / "broken", owned=tmp_path)
