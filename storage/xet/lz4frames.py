"""One LZ4 frame in, at most so many bytes out: the compression inside xorbs."""

from typing import Any

import lz4.frame

from storage.xet.errors import XetError

Buffer = bytes | bytearray | memoryview


def compress(data: Buffer) -> bytes:
    """Return `data` as one frame of independent blocks of 64 KiB, without the parts that the client leaves out."""
    packed: bytes = lz4.frame.compress(
        data, block_size=lz4.frame.BLOCKSIZE_MAX64KB, block_linked=False, store_size=False
    )
    return packed


class Decompressor:
    """Decodes frame after frame with one set of buffers.  After an error it is not to be used again."""

    def __init__(self) -> None:
        self._context: Any = lz4.frame.create_decompression_context()

    def decode(self, packed: Buffer, size: int) -> bytes:
        """Return the `size` bytes that `packed` holds.

        Raises XetError for a damaged frame, for one that holds more or fewer bytes (no more than one byte beyond
        `size` is ever made), and for anything after its end.
        """
        lz4.frame.reset_decompression_context(self._context)
        try:
            raw, used, ended = lz4.frame.decompress_chunk(self._context, packed, max_length=size + 1)
        except RuntimeError as error:
            raise XetError("its LZ4 frame is damaged") from error
        if len(raw) != size:
            less_or_more = "more" if len(raw) > size else "less"
            raise XetError(f"its LZ4 frame holds {less_or_more} than the announced {size} bytes")
        if not ended or used != len(packed):
            raise XetError("its LZ4 frame does not end with the chunk")
        decoded: bytes = raw
        return decoded
