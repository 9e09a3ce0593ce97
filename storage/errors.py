"""What can go wrong with stored bytes.  Every message is safe to show to the person who asked."""


class StorageError(Exception):
    """The base of everything that this room raises on purpose."""


class BadDigest(StorageError):
    """A text is not a sha256 in 64 lowercase hexadecimal digits."""


class UploadNotFound(StorageError):
    """There is no such upload, or its bytes have not arrived."""


class UploadClosed(StorageError):
    """The upload has ended (stored, proven, rejected or aborted) and takes no such step any more."""


class WrongSize(StorageError):
    """The bytes are more or fewer than were announced."""


class PartsMismatch(StorageError):
    """The parts of an upload are not the ones that were planned, or not the ones that arrived."""


class StoreUnavailable(StorageError):
    """The object store does not answer, or refuses what the hub is entitled to; it may later."""


class ObjectMissing(StorageError):
    """The bytes are not held, or are held back because they are damaged."""


class ChunksDamaged(ObjectMissing):
    """Chunks of the xorb with this row id are not what they were when they came, or are gone."""

    def __init__(self, message: str, *, xorb: int) -> None:
        super().__init__(message)
        self.xorb = xorb


class RangeNotSatisfiable(StorageError):
    """The wanted range lies outside the object."""


# What the store's own error codes mean here; every other code is StoreUnavailable.
FAULTS: dict[str, type[StorageError]] = {
    "NoSuchKey": ObjectMissing,
    "NotFound": ObjectMissing,
    "404": ObjectMissing,
    "NoSuchCORSConfiguration": ObjectMissing,
    "NoSuchUpload": UploadNotFound,
    "InvalidPart": PartsMismatch,
    "InvalidPartOrder": PartsMismatch,
    "EntityTooSmall": PartsMismatch,
    "InvalidRange": RangeNotSatisfiable,
    "416": RangeNotSatisfiable,
}
