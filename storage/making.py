"""Files that the hub made itself, on their way into the store.

Such a file comes as an upload whose sender is the hub, so whatever holds for an upload that breaks off holds for it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone

from storage import s3, uploads
from storage.models import Upload
from storage.sending import Readable
from storage.uploads import PART_SIZE, SINGLE_LIMIT

_State = Upload.State
Opened = Callable[[int, int], AbstractContextManager[Readable]]


class _Part:
    """A stretch of an open file, as a stream that ends."""

    def __init__(self, file: BinaryIO, start: int, length: int, tell: Callable[[int], None]) -> None:
        file.seek(start)
        self.file, self.done, self.left, self.tell = file, start, length, tell

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        self.done += len(data)
        self.tell(self.done)
        return data


def store_file(path: Path, *, owner: str, sha256: str, size: int, progress: Callable[[int], None]) -> Upload:
    """Store a file and return its upload: stored, not yet proven.  What an earlier call sent is not sent again.

    `progress` gets the number of bytes sent and may raise to stop.  Raises StorageError.
    """
    with path.open("rb") as file:

        def opened(start: int, length: int) -> nullcontext[_Part]:
            return nullcontext(_Part(file, start, length, progress))

        return send(owner=owner, sha256=sha256, size=size, opened=opened, progress=progress)


def send(*, owner: str, sha256: str, size: int, opened: Opened, progress: Callable[[int], None]) -> Upload:
    """Store what `opened` gives stretch by stretch (start and length in bytes), and return its upload: stored.

    What an earlier call sent is not sent again.  `progress` gets the number of bytes sent after each part, and may
    raise to stop.  Raises StorageError.
    """
    upload = uploads.find(owner, sha256)
    if upload is not None and upload.state == _State.STORED:
        return upload
    upload = uploads.begin(
        owner=owner, sha256=sha256, size=size, single_limit=SINGLE_LIMIT, part_size=PART_SIZE
    )
    if upload.part_size:
        _send_parts(upload, opened, progress)
    else:
        with opened(0, size) as content:
            uploads.write_single(upload, content, size)
    return uploads.finish(upload.pk)


def _send_parts(upload: Upload, opened: Opened, progress: Callable[[int], None]) -> None:
    arrived = {(part.number, part.size) for part in s3.list_parts(upload.final_key, upload.s3_upload_id)}
    done = 0
    for number, length in uploads.part_plan(upload):
        if (number, length) not in arrived:
            with opened(done, length) as content:
                uploads.write_part(upload, number, content, length)
        done += length
        progress(done)


def touch(owner: str) -> None:
    """Keep what this owner has stored from being swept while it is still at work."""
    Upload.objects.filter(owner=owner, state=_State.STORED).update(touched_at=timezone.now())


def give_up(owner: str) -> int:
    """Give up whatever this owner has sent and nobody has settled; returns how many uploads that were."""
    mine = Upload.objects.filter(owner=owner, state__in=(_State.OPEN, _State.STORED))
    return sum(uploads.abort(upload) for upload in mine)
