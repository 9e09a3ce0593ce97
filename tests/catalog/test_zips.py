"""ZIP files as they are sent: read back by a reader that was not written here."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.catalog import zips
from hub.catalog.zips import Member, WrongLength

WHEN = datetime(2026, 11, 21, 10, 20, 31, tzinfo=UTC)
NAMES = st.lists(st.text("aé空 ./", min_size=1, max_size=20), max_size=6, unique=True)


def packed(files: dict[str, bytes], when: datetime = WHEN) -> bytes:
    members = [Member(name, len(content)) for name, content in files.items()]
    found = b"".join(zips.stream(members, lambda member: (files[member.name],), when=when))
    assert len(found) == zips.length(members)
    return found


@settings(max_examples=50, deadline=None)
@given(NAMES, st.binary(max_size=300))
def test_what_went_in_comes_out(names: list[str], content: bytes) -> None:
    files = {name: content[number:] for number, name in enumerate(names)}
    with zipfile.ZipFile(io.BytesIO(packed(files))) as archive:
        assert archive.testzip() is None
        assert {item.filename: archive.read(item) for item in archive.infolist()} == files


def test_times_and_modes_are_kept() -> None:
    members = [Member("a/run.sh", 1, 0o100755)]
    found = b"".join(zips.stream(members, lambda _: (b"x",), when=WHEN))
    (item,) = zipfile.ZipFile(io.BytesIO(found)).infolist()
    assert (item.date_time, item.external_attr >> 16) == ((2026, 11, 21, 10, 20, 30), 0o100755)
    assert zipfile.ZipFile(io.BytesIO(packed({"a": b""}, datetime(1970, 1, 1, tzinfo=UTC)))).testzip() is None


def test_many_files_are_counted_in_zip64() -> None:
    files = {f"{number}": b"" for number in range(66_000)}
    assert len(zipfile.ZipFile(io.BytesIO(packed(files))).infolist()) == 66_000


def test_files_above_four_gigabytes_have_room_in_every_record() -> None:
    members = [Member("big.bin", 6 * 2**30), Member("b", 1)]
    pieces = zips.stream(members, lambda _: iter([b"x" * 1000]), when=WHEN)
    assert next(pieces)[4:6] == b"\x2d\x00"
    assert zips.length(members) - zips.length([Member("big.bin", 1), Member("b", 1)]) == (
        # The bytes; wide sizes before, behind and at the end of both; and the end that tells where the directory is.
        6 * 2**30 - 1 + 20 + 8 + 20 + 12 + 76
    )


@pytest.mark.parametrize("content", [b"four", b"sixsix"])
def test_a_file_of_another_length_ends_the_archive(content: bytes) -> None:
    with pytest.raises(WrongLength):
        list(zips.stream([Member("a", 5)], lambda _: (content,), when=WHEN))
