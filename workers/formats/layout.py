"""Where tensors may lie in a file: within it, one after the other, none over another."""

from collections.abc import Iterable

from workers.formats.findings import Inspection, Tensor

U64 = 2**64 - 1


def align_up(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def element_count(shape: Iterable[int], limit: int) -> int | None:
    """The product of the dimensions from left to right, or None as soon as it passes the limit."""
    count = 1
    for dimension in shape:
        count *= dimension
        if count > limit:
            return None
    return count


def check_layout(found: Inspection, *, size: int, alignment: int = 1) -> int:
    """Note every tensor that leaves the file, overlaps or leaves a gap; answer where the last one ends.

    Starts and ends are offsets in the file. With an alignment the next one begins at its next multiple.
    """
    expected = last_end = found.data_start
    last_name = ""
    for tensor in sorted(found.tensors, key=lambda tensor: (tensor.start, tensor.end)):
        if tensor.end > size:
            _beyond_end(found, tensor, size)
        if tensor.start < expected:
            message = (
                f"begins at byte {tensor.start}, inside {last_name[:200]!r}, which ends at byte {last_end}"
            )
            found.error("overlap", message, tensor.name)
        elif tensor.start > expected:
            message = (
                f"begins at byte {tensor.start}; {tensor.start - expected} bytes before it are no tensor's"
            )
            found.error("gap", message, tensor.name)
        if tensor.end >= last_end:
            last_end, last_name = tensor.end, tensor.name
        expected = max(expected, align_up(tensor.end, alignment))
    return last_end


def _beyond_end(found: Inspection, tensor: Tensor, size: int) -> None:
    message = f"ends at byte {tensor.end}, but the file has {size}: it is cut short or the offset is wrong"
    found.error("out-of-bounds", message, tensor.name)
