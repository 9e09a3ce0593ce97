"""Deleting a repo while workers prove and inspect what it holds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from huggingface_hub import CommitOperationAdd, HfApi


def test_a_repo_that_is_being_worked_on_can_be_deleted(alice: HfApi, new_repo: Callable[..., str]) -> None:
    def live_and_die(number: int) -> bool:
        repo = new_repo()
        weights = [CommitOperationAdd(f"w{part}.bin", bytes([number, part]) * 2000) for part in range(3)]
        alice.create_commit(repo, weights, commit_message="weights")
        alice.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"a")
        alice.delete_repo(repo)
        return alice.repo_exists(repo)

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(live_and_die, range(8)))
