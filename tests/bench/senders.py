"""``python -m tests.bench.senders PLACE TOKEN COUNT BYTES``: so many clients, each with one xorb, all at once.

The chunks are made and packed once.  Each client sends them from another one on, which makes another xorb of the
same work: another hash, and every chunk to be decoded and hashed.
"""

import http.client
import io
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from storage.xet.chunking import cut
from storage.xet.hashes import chunk_hash, to_text, xorb_hash
from storage.xet.xorbs import MAX_CHUNK, write_xorb
from tests.bench.weights import weights

PIECE = 2**20
PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Xorb:
    """Serialized chunks, sent from byte ``first`` on and then from the start up to it."""

    name: str
    data: memoryview
    first: int

    def pieces(self) -> Iterator[memoryview]:
        """Yield the body bit by bit."""
        for part in (self.data[self.first :], self.data[: self.first]):
            for at in range(0, len(part), PIECE):
                yield part[at : at + PIECE]


def make_chunks(size: int, *, seed: int) -> list[bytes]:
    """Return chunks as a client cuts them, of at most `size` bytes together."""
    chunks = list(cut(io.BytesIO(weights(size, seed=seed))))
    return chunks if len(chunks) == 1 or len(chunks[-1]) == MAX_CHUNK else chunks[:-1]


def make_xorbs(chunks: list[bytes], count: int) -> list[Xorb]:
    """Return `count` xorbs of the same chunks, each in another order."""
    packed = [write_xorb([chunk]) for chunk in chunks]
    data = memoryview(b"".join(packed))
    starts = list(itertools.accumulate(map(len, packed), initial=0))
    pairs = [(chunk_hash(chunk), len(chunk)) for chunk in chunks]
    turns = [number * len(chunks) // count for number in range(count)]
    return [Xorb(to_text(xorb_hash(pairs[at:] + pairs[:at])), data, starts[at]) for at in turns]


class Crowd:
    """Clients that begin together."""

    def __init__(self, place: str, token: str, count: int) -> None:
        self._place, self._token = urlsplit(place), token
        self._gate = threading.Barrier(count)

    def send(self, xorb: Xorb) -> tuple[int, float]:
        """Send one xorb; returns the status and the seconds it took, 0 for a connection that broke."""
        self._gate.wait()
        started = time.perf_counter()
        connection = http.client.HTTPConnection(self._place.netloc, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Length": str(len(xorb.data))}
        path = f"{self._place.path}/v1/xorbs/default/{xorb.name}"
        try:
            connection.request("POST", path, body=xorb.pieces(), headers=headers)
            status = connection.getresponse().status
        except OSError:
            status = 0
        finally:
            connection.close()
        return status, time.perf_counter() - started


def main(place: str, token: str, count: str, size: str) -> None:
    """Send, and say how it went; the last word is the number of xorbs that were taken."""
    chunks = make_chunks(int(size), seed=4)
    xorbs = make_xorbs(chunks, int(count))
    crowd = Crowd(place, token, len(xorbs))
    started = time.perf_counter()
    with ThreadPoolExecutor(len(xorbs)) as pool:
        answers = list(pool.map(crowd.send, xorbs))
    seconds = time.perf_counter() - started
    statuses = Counter(status for status, _ in answers)
    raw = len(xorbs) * sum(map(len, chunks)) / 10**6
    print(
        f"answers {dict(statuses)} (0: the connection broke) in {seconds:.1f} s, {raw / seconds:.0f} MB/s raw, stored"
        f" {len(xorbs[0].data) / 10**6:.0f} MB each, the slowest took {max(took for _, took in answers):.1f} s,"
        f" taken: {statuses[200]}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
