"""``manage.py up`` as an operator meets it: it repairs, refuses, stops and comes back."""

import shutil
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from hub.env import read_env_file
from tests.live import LiveHub, free_port_pair

CHILDREN = ("postgres", "valkey", "s3", "web", "bytes", "worker", "beat")


@pytest.fixture(scope="module")
def own_hub() -> Iterator[LiveHub]:
    # The name of the folder is too long for unix sockets, which so need a place elsewhere.
    top = Path(tempfile.mkdtemp(prefix="hub-up-"))
    data_dir = top / ("long" * 25)
    data_dir.mkdir(mode=0o700)
    port = free_port_pair()
    settings = {"HUB_PORT": str(port), "HUB_DEMO": "0", "HUB_LICENSE_TEXTS": "0"}
    # Started from another folder than the checkout, as a service manager does.
    live = LiveHub(data_dir=data_dir, port=port, settings=settings, folder=data_dir)
    live.start()
    yield live
    live.stop()
    shutil.rmtree((data_dir / "run" / "sockets").read_text().strip())
    shutil.rmtree(top)


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def pid_of(live: LiveHub, name: str) -> int:
    text = (live.data_dir / "run" / f"{name}.pid").read_text()
    return int(text.split()[0]) if text else 0


def family(live: LiveHub) -> list[psutil.Process]:
    assert live.process is not None
    supervisor = psutil.Process(live.process.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def listening(live: LiveHub) -> set[tuple[str, int]]:
    """Every (address, port) the hub listens on; a process that ends meanwhile, as short ones do, has none."""
    found: set[tuple[str, int]] = set()
    for process in family(live):
        with suppress(psutil.NoSuchProcess):
            connections = process.net_connections("inet")
            found |= {
                (each.laddr.ip, each.laddr.port) for each in connections if each.status == psutil.CONN_LISTEN
            }
    return found


def wait_for(what: str, seconds: float, condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def works_again(live: LiveHub) -> bool:
    ready = status(f"{live.url}/readyz") == 200 and status(f"{live.bytes_url}/readyz") == 200
    return ready and all(psutil.pid_exists(pid_of(live, name)) for name in CHILDREN)


def test_everything_in_the_data_folder_is_private(own_hub: LiveHub) -> None:
    assert own_hub.data_dir.stat().st_mode & 0o077 == 0
    for name in ("hub.env", "stack.env", "admin-password"):
        assert (own_hub.data_dir / name).stat().st_mode & 0o777 == 0o600


def test_nothing_listens_beyond_loopback(own_hub: LiveHub) -> None:
    assert {address for address, _ in listening(own_hub)} == {"127.0.0.1"}


def test_the_side_ports_of_the_s3_server_ask_for_a_key(own_hub: LiveHub) -> None:
    s3_port = int(read_env_file(own_hub.data_dir / "hub.env")["HUB_S3_ENDPOINT"].rpartition(":")[2])
    assert status(f"http://127.0.0.1:{s3_port + 3}/buckets/hub/") == 401
    assert status(f"http://127.0.0.1:{s3_port}/hub") == 403


def test_a_second_start_on_the_same_folder_says_who_has_it(own_hub: LiveHub) -> None:
    second = LiveHub(data_dir=own_hub.data_dir, port=own_hub.port, settings=own_hub.settings)
    assert own_hub.process is not None
    with pytest.raises(AssertionError, match=f"already runs on .* \\(process {own_hub.process.pid}\\)"):
        second.start()
    assert status(f"{own_hub.url}/readyz") == 200


# The others are begun again by the same lines.
KILLED = [
    name if name in ("postgres", "web") else pytest.param(name, marks=pytest.mark.matrix) for name in CHILDREN
]


@pytest.mark.parametrize("name", KILLED)
def test_a_killed_child_is_started_again(own_hub: LiveHub, name: str) -> None:
    before = pid_of(own_hub, name)
    psutil.Process(before).kill()
    wait_for(f"a new {name}", 15, lambda: pid_of(own_hub, name) not in (0, before))
    wait_for("the hub working again", 30, lambda: works_again(own_hub))


def test_a_killed_supervisor_leaves_nothing_and_the_next_start_just_works(own_hub: LiveHub) -> None:
    assert own_hub.process is not None
    secrets = (own_hub.data_dir / "stack.env").read_bytes()
    members = family(own_hub)
    own_hub.process.kill()
    own_hub.process.wait()
    # From here on it is seen from everywhere, which the test after this one looks at.
    own_hub.settings["HUB_BIND"] = "0.0.0.0"
    own_hub.start()
    assert [member for member in members if member.is_running()] == []
    assert (own_hub.data_dir / "stack.env").read_bytes() == secrets
    assert works_again(own_hub)


def test_only_the_two_web_groups_listen_beyond_loopback_when_asked(own_hub: LiveHub) -> None:
    outside = {each for each in listening(own_hub) if each[0] != "127.0.0.1"}
    assert outside == {("0.0.0.0", own_hub.port), ("0.0.0.0", own_hub.port + 1)}


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    port = free_port_pair()
    live = LiveHub(data_dir=tmp_path, port=port, settings={"HUB_PORT": str(port), "HUB_STACK_FSYNC": "0"})
    refused = pytest.raises(AssertionError, match=f"Port {port + 1} is taken .* HUB_BYTES_PORT")
    with socket.create_server(("127.0.0.1", port + 1)), refused:
        live.start()


def test_a_folder_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "stack.env").write_text("STACK_LAYOUT=99\n")
    live = LiveHub(data_dir=tmp_path, port=free_port_pair())
    with pytest.raises(AssertionError, match="newer Weighhouse"):
        live.start()
    assert (tmp_path / "stack.env").read_text() == "STACK_LAYOUT=99\n"


def test_a_command_in_another_terminal_reaches_the_same_hub(own_hub: LiveHub) -> None:
    assert "user" in own_hub.ensure_user("visitor")


def test_the_web_processes_together_stay_small(own_hub: LiveHub) -> None:
    groups = [psutil.Process(pid_of(own_hub, name)) for name in ("web", "bytes")]
    members = [member for group in groups for member in (group, *group.children(recursive=True))]
    assert sum(member.memory_full_info().pss for member in members) < 400 * 2**20


def test_ctrl_c_stops_everything_within_five_seconds(own_hub: LiveHub) -> None:
    assert own_hub.process is not None
    members = family(own_hub)
    started = time.monotonic()
    own_hub.process.send_signal(signal.SIGINT)
    assert own_hub.process.wait(timeout=10) == 0
    assert time.monotonic() - started < 5
    assert [member for member in members if member.is_running()] == []
