"""What clients and the hub do when stored bytes rot, rows are lost, and processes die in the middle of an upload."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import httpx2 as httpx
import pytest
from botocore.config import Config

from hub.env import read_env_file
from tests.journeys.people import ALICE, People, bearer, write_tree
from tests.journeys.xet_kit import (
    MIB,
    Journal,
    New,
    ask_database,
    begin_hf,
    hf,
    states,
    wait_for,
)
from tests.live import LiveHub, run_live_hub

OPEN_PROOFS = "SELECT state FROM catalog_job WHERE kind = 'prove-chunks' AND state IN ('waiting', 'running')"
Begin = Callable[[], subprocess.Popen[str]]


# A xorb comes through the hub, or its client is granted an address of the store.
WAYS = {"sent": "0", "granted": "1"}


@pytest.fixture(scope="module", params=["sent", pytest.param("granted", marks=pytest.mark.matrix)])
def hub(request: pytest.FixtureRequest) -> Iterator[LiveHub]:
    """A hub of our own, since its processes are stopped and killed here."""
    yield from run_live_hub(HUB_DELIVERY="redirect", HUB_XET_GRANTS=WAYS[request.param])


@pytest.fixture
def content() -> bytes:
    return os.urandom(3 * MIB)


@pytest.fixture
def repo(new_repo: New, folder: Path, content: bytes) -> str:
    """A repo to which the content is to be uploaded from the folder."""
    write_tree(folder, {"w.bin": content})
    return new_repo()


def upload(people: People, home: Path, repo: str, folder: Path) -> str:
    return hf(people, home, "upload", repo, str(folder / "w.bin"), "w.bin")


@pytest.fixture
def begin(people: People, repo: str, folder: Path, tmp_path: Path) -> Iterator[Begin]:
    """Begin the upload with a client that lives no longer than the test."""
    begun: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        begun.append(begin_hf(people, tmp_path / "one", "upload", repo, str(folder / "w.bin"), "w.bin"))
        return begun[-1]

    yield start
    for client in begun:
        if client.poll() is None:
            client.kill()
            client.communicate()


def group(hub: LiveHub, name: str) -> int:
    """Return the process group of a child of the hub, 0 while it is being started again."""
    text = (hub.data_dir / "run" / f"{name}.pid").read_text()
    return int(text.split()[0]) if text else 0


@contextmanager
def halted(hub: LiveHub, name: str) -> Iterator[int]:
    """Let a child of the hub stand still while the block runs; it may be killed meanwhile."""
    number = group(hub, name)
    os.killpg(number, signal.SIGSTOP)
    try:
        yield number
    finally:
        with suppress(ProcessLookupError):
            os.killpg(number, signal.SIGCONT)


def works(hub: LiveHub) -> bool:
    with suppress(httpx.HTTPError):
        return all(httpx.get(f"{base}/readyz").status_code == 200 for base in (hub.url, hub.bytes_url))
    return False


def ends_well(
    client: subprocess.Popen[str], people: People, repo: str, content: bytes, tmp_path: Path
) -> bool:
    """Say whether the client got there by itself and left nothing half done."""
    said, _ = client.communicate()
    assert client.returncode == 0, f"{said}\n{people.hub.logs(25)}"
    hf(people, tmp_path / "reader", "download", repo, "w.bin", "--local-dir", str(tmp_path / "got"))
    assert ask_database(people.hub, OPEN_PROOFS) == []
    assert ask_database(people.hub, "SELECT 1 FROM storage_recipe WHERE state = 'proving'") == []
    assert states(people.hub, repo) == ["proven"]
    return (tmp_path / "got" / "w.bin").read_bytes() == content


@pytest.mark.matrix
def test_the_bytes_group_dies_while_a_client_awaits_its_proof(
    hub: LiveHub, people: People, repo: str, content: bytes, begin: Begin, tmp_path: Path
) -> None:
    with halted(hub, "worker"):
        client = begin()
        wait_for("a proof being asked for", lambda: ask_database(hub, OPEN_PROOFS))
        dying = group(hub, "bytes")
        os.killpg(dying, signal.SIGKILL)
        wait_for("a new bytes group", lambda: group(hub, "bytes") not in (0, dying) and works(hub))
        assert states(hub, repo) == []
    assert ends_well(client, people, repo, content, tmp_path)


def test_the_bytes_group_dies_while_it_stores_a_xorb(
    hub: LiveHub, people: People, repo: str, content: bytes, begin: Begin, tmp_path: Path
) -> None:
    journal = Journal(hub)
    with halted(hub, "s3"):
        client = begin()
        wait_for("the upload", lambda: journal.asked("GET", "/xet-write-token/"))
        # Time enough for the xorb to arrive; nothing tells when it has.
        time.sleep(1)
        os.killpg(group(hub, "bytes"), signal.SIGKILL)
    assert ends_well(client, people, repo, content, tmp_path)


def test_the_worker_dies_in_the_middle_of_a_proof(
    hub: LiveHub, people: People, repo: str, content: bytes, begin: Begin, tmp_path: Path
) -> None:
    with halted(hub, "worker") as worker:
        client = begin()
        wait_for("a proof being asked for", lambda: ask_database(hub, OPEN_PROOFS))
        with halted(hub, "s3"):
            os.killpg(worker, signal.SIGCONT)
            wait_for("the proof", lambda: ask_database(hub, OPEN_PROOFS) == [("running",)])
            os.killpg(worker, signal.SIGKILL)
            # Nobody waits half a minute here until its lease has run out.
            ask_database(hub, "UPDATE catalog_job SET lease_until = now() WHERE state = 'running'")
            assert states(hub, repo) == []
    assert ends_well(client, people, repo, content, tmp_path)


@pytest.mark.matrix
def test_the_store_dies_in_the_middle_of_an_upload(
    hub: LiveHub, people: People, repo: str, content: bytes, begin: Begin, tmp_path: Path
) -> None:
    journal = Journal(hub)
    with halted(hub, "s3") as store:
        client = begin()
        wait_for("the upload", lambda: journal.asked("GET", "/xet-write-token/"))
        time.sleep(1)
        os.killpg(store, signal.SIGKILL)
    assert ends_well(client, people, repo, content, tmp_path)
    assert {item.status for item in journal.asked("POST", "/v1/xorb")} <= {200, 201, 404, 503}
    way = "xorb-commits" if hub.settings["HUB_XET_GRANTS"] == "1" else "xorbs"
    assert [item.status for item in journal.asked("POST", f"/v1/{way}/")][-1] == 200


@pytest.mark.matrix
def test_the_store_dies_in_the_middle_of_a_download(
    hub: LiveHub, people: People, repo: str, folder: Path, content: bytes, tmp_path: Path
) -> None:
    upload(people, tmp_path / "one", repo, folder)
    journal, goal = Journal(hub), tmp_path / "got"
    with halted(hub, "s3") as store:
        client = begin_hf(people, tmp_path / "two", "download", repo, "w.bin", "--local-dir", str(goal))
        wait_for("the download", lambda: journal.asked("GET", "/v2/reconstructions/"))
        os.killpg(store, signal.SIGKILL)
    said, _ = client.communicate()
    assert client.returncode == 0, f"{said}\n{hub.logs(25)}"
    assert (goal / "w.bin").read_bytes() == content


def test_a_client_that_remembers_more_than_a_restored_hub_begins_anew_after_the_epoch_was_raised(
    hub: LiveHub, people: People, repo: str, folder: Path, content: bytes, new_repo: New, tmp_path: Path
) -> None:
    upload(people, tmp_path / "one", repo, folder)
    ask_database(hub, "TRUNCATE storage_xorb, storage_recipe, storage_blob CASCADE")
    # What the client remembers is not true any more, and it never forgets by itself.
    other = new_repo()
    with pytest.raises(AssertionError, match=r"400|not known"):
        upload(people, tmp_path / "one", other, folder)
    assert hub.manage("raise_epoch").startswith("epoch ")
    upload(people, tmp_path / "one", other, folder)
    hf(people, tmp_path / "two", "download", other, "w.bin", "--local-dir", str(tmp_path / "got"))
    assert (tmp_path / "got" / "w.bin").read_bytes() == content


def flip_stored_byte(hub: LiveHub, key: str) -> None:
    """Change one byte in the middle of a stored object."""
    env = read_env_file(hub.data_dir / "hub.env")
    store = boto3.client(
        "s3", endpoint_url=env["HUB_S3_ENDPOINT"], region_name=env["HUB_S3_REGION"],
        aws_access_key_id=env["HUB_S3_ACCESS_KEY"], aws_secret_access_key=env["HUB_S3_SECRET_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip
    data = bytearray(store.get_object(Bucket=env["HUB_S3_BUCKET"], Key=key)["Body"].read())
    data[len(data) // 2] ^= 1
    store.put_object(Bucket=env["HUB_S3_BUCKET"], Key=key, Body=bytes(data))


def scrub(hub: LiveHub, xorb: int) -> None:
    """Let the hub look at a xorb as if it were weeks old, and find it damaged."""
    ask_database(
        hub, "UPDATE storage_xorb SET created_at = created_at - interval '99 days' WHERE id = %s", xorb
    )
    hub.manage(
        "shell", "-v", "0", "-c", "from hub.catalog import jobs; jobs.ask(kind='scrub', subject='by hand')"
    )
    done = "SELECT result FROM catalog_job WHERE subject = 'by hand' AND state = 'done'"
    wait_for("the scrub", lambda: ask_database(hub, done))
    [(result,)] = ask_database(hub, done)
    assert len(result["damaged"]) == 1


def read_on(address: str, content: bytes) -> None:
    """Read a file whose stored bytes are damaged: what comes before the fault is right, and nothing comes after."""
    got = bytearray()
    with pytest.raises(httpx.HTTPError), httpx.stream("GET", address) as answer:
        for piece in answer.iter_raw():
            got += piece
    assert len(got) < len(content)
    assert content.startswith(got)


@pytest.mark.parametrize("finder", ["scrub", pytest.param("reader", marks=pytest.mark.matrix)])
def test_a_flipped_byte_is_found_held_back_and_healed_by_another_push(
    finder: str, hub: LiveHub, people: People, repo: str, http: httpx.Client, folder: Path, content: bytes,
    tmp_path: Path,
) -> None:  # fmt: skip
    upload(people, tmp_path / "one", repo, folder)
    name = http.head(f"/{repo}/resolve/main/w.bin").headers["X-Xet-Hash"]
    told = http.get(f"/api/models/{repo}/xet-read-token/main", headers=bearer(ALICE)).json()
    address = http.get(f"/{repo}/resolve/main/w.bin").headers["Location"]
    [(xorb, key)] = ask_database(hub, "SELECT id, key FROM storage_xorb ORDER BY created_at DESC LIMIT 1")
    flip_stored_byte(hub, key)
    if finder == "scrub":
        scrub(hub, xorb)
    else:
        read_on(address, content)
    wait_for("the file being held back", lambda: states(hub, repo) == ["rejected"])

    refused = http.get(f"/{repo}/resolve/main/w.bin")
    assert (refused.status_code, "X-Xet-Hash" in refused.headers) == (404, False), refused.text
    assert "damaged" in refused.text
    for version in ("v1", "v2"):
        plan = f"{told['casUrl']}/{version}/reconstructions/{name}"
        assert httpx.get(plan, headers=bearer(told["accessToken"])).status_code == 404
    assert httpx.get(address).status_code in (404, 410)
    with pytest.raises(AssertionError, match="damaged"):
        hf(people, tmp_path / "two", "download", repo, "w.bin")

    # Even the client that sent it before sends it again, since it was made to forget.
    upload(people, tmp_path / "one", repo, folder)
    hf(people, tmp_path / "three", "download", repo, "w.bin", "--local-dir", str(tmp_path / "got"))
    assert (tmp_path / "got" / "w.bin").read_bytes() == content
    assert http.get(f"/{repo}/resolve/main/w.bin", follow_redirects=True).content == content
    assert states(hub, repo) == ["proven"]
