"""A lean load generator: kept-alive connections, each with one request under way, in one thread without waiting."""

import re
import selectors
import socket
import time
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)


@dataclass
class _Connection:
    """One connection and what it has received of the answer under way."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)

    def is_complete(self, *, head: bool) -> bool:
        """Say whether the whole answer is here; raises AssertionError for one that is not a 200."""
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return False
        assert self.received.startswith(b"HTTP/1.1 200"), bytes(self.received[:2000])
        length = _LENGTH.search(self.received, 0, end + 2)
        assert length, "an answer without a length"
        return head or len(self.received) >= end + 4 + int(length[1])


def request_bytes(method: str, path: str, *, port: int, token: str = "") -> bytes:
    """Return a request as a program sends it."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "User-Agent: bench", "Accept: */*"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode()


def requests_per_second(
    port: int, method: str, path: str, *, token: str = "", seconds: float, connections: int
) -> float:
    """Return how many requests a second a server answers, each connection asking again as soon as it is answered."""
    request = request_bytes(method, path, port=port, token=token)
    opened = [_Connection(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(connections)]
    try:
        return _drive(opened, request, seconds=seconds, head=method == "HEAD")
    finally:
        for connection in opened:
            connection.sock.close()


def _drive(opened: list[_Connection], request: bytes, *, seconds: float, head: bool) -> float:
    answered, started = 0, time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            connection.sock.sendall(request)
            selector.register(connection.sock, selectors.EVENT_READ, connection)
        while (elapsed := time.perf_counter() - started) < seconds:
            for key, _ in selector.select(timeout=5):
                connection = key.data
                data = connection.sock.recv(65536)
                assert data, f"the server hung up after {bytes(connection.received[:500])!r}"
                connection.received += data
                if connection.is_complete(head=head):
                    answered += 1
                    connection.received.clear()
                    connection.sock.sendall(request)
    return answered / elapsed
