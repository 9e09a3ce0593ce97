"""A store that fails at a chosen moment: a TCP relay in front of the real one."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class Relay:
    """Passes everything through, except that the answer to a chosen request is lost or held back.

    The request itself always reaches the store and is carried out, so this is what a crash of the hub between two steps
    looks like from the store's side.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        # The first line of every request that passed, as far as it came in one piece with its head.
        self.seen: list[bytes] = []
        self.lose: bytes | None = None
        self.hold: bytes | None = None
        self.carried_out = threading.Event()
        self.release = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        store = socket.create_connection(self.upstream)
        asked: list[bytes] = []
        threading.Thread(target=self._answers, args=(store, client, asked), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if b" HTTP/1.1\r\n" in data[:4096]:
                    asked[:] = [data]
                    self.seen.append(data.partition(b"\r\n")[0])
                store.sendall(data)
        _shut(store)

    def _answers(self, store: socket.socket, client: socket.socket, asked: list[bytes]) -> None:
        with contextlib.suppress(OSError):
            while data := store.recv(65536):
                request = asked[0].lower() if asked else b""
                if self.lose and self.lose in request and b"100 Continue" not in data[:40]:
                    self.carried_out.set()
                    break
                if self.hold and self.hold in request and b"100 Continue" not in data[:40]:
                    self.carried_out.set()
                    self.release.wait(30)
                client.sendall(data)
        _shut(client)

    def close(self) -> None:
        self.release.set()
        self.listener.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextlib.contextmanager
def relay_to(endpoint: str) -> Iterator[Relay]:
    relay = Relay(endpoint)
    try:
        yield relay
    finally:
        relay.close()
