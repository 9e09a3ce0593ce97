"""Trees made slab by slab are the trees that the rules make."""

import tracemalloc

import numpy
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.xet import hashes
from storage.xet.merkle import Tree
from tests.storage.xet.samples import random_bytes

NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
Nodes = list[tuple[bytes, int]]


def by_the_rules(nodes: Nodes) -> bytes:
    """Return the root, by one step of the rules after another."""
    while len(nodes) > 1:
        above: Nodes = []
        group: Nodes = []
        for number, (digest, size) in enumerate(nodes):
            group.append((digest, size))
            early = len(group) >= 3 and int.from_bytes(digest[24:], "little") % 4 == 0
            if early or len(group) == 9 or number == len(nodes) - 1:
                lines = "".join(f"{hashes.to_text(child)} : {length}\n" for child, length in group)
                parent = blake3(lines.encode(), key=NODE_KEY).digest()
                above.append((parent, sum(length for _, length in group)))
                group = []
        nodes = above
    return nodes[0][0] if nodes else bytes(32)


def node(number: int, early: bool | None, size: int) -> tuple[bytes, int]:
    """Return a node that may end its group early, may not, or as chance has it."""
    digest = bytearray(random_bytes(32, number))
    if early is not None:
        digest[24] = digest[24] & 0xFC | (0 if early else 1)
    return bytes(digest), size


def added(nodes: Nodes, slabs: list[int]) -> bytes:
    """Return the root of a tree to which nodes are added in slabs of these sizes, over and over."""
    tree, at, turn = Tree(), 0, 0
    while at < len(nodes):
        some = nodes[at : at + slabs[turn % len(slabs)]]
        tree.add(b"".join(digest for digest, _ in some), numpy.array([size for _, size in some], numpy.int64))
        at, turn = at + len(some), turn + 1
    return tree.root()


SIZES = st.sampled_from([1, 9, 10, 99, 100, 8192, 65536, 99_999, 100_000, 131_072])
MARKS = st.sampled_from([True, False, None])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(MARKS, SIZES), max_size=60),
    st.integers(1, 4),
    st.lists(st.integers(1, 100), min_size=1, max_size=5),
)
def test_a_tree_is_the_one_of_the_rules_however_it_is_fed(
    kinds: list[tuple[bool | None, int]], times: int, slabs: list[int]
) -> None:
    nodes = [node(number, *kind) for number, kind in enumerate(kinds * times)]
    expected = by_the_rules(nodes)
    assert added(nodes, slabs) == expected == hashes.xorb_hash(nodes)


@pytest.mark.parametrize("early", [True, False, None])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 18, 19, 81, 82, 83, 700])
def test_the_last_group_of_a_level_is_whatever_is_left(count: int, early: bool | None) -> None:
    nodes = [node(number, early, 1 + number * 997 % 131_072) for number in range(count)]
    expected = by_the_rules(nodes)
    assert added(nodes, [1]) == added(nodes, [7, 1000]) == expected
    salted = blake3(expected, key=bytes(32)).digest() if count else bytes(32)
    assert hashes.file_hash(nodes) == salted


def test_sizes_of_a_level_may_have_any_number_of_digits() -> None:
    nodes = [node(number, None, 10 ** (number % 16)) for number in range(200)]
    assert added(nodes, [64]) == by_the_rules(nodes)


def test_a_tree_over_very_many_chunks_takes_little_memory() -> None:
    digests = random_bytes(32 * 50_000, 5)
    sizes = numpy.full(50_000, 65_536)
    tracemalloc.start()
    tree = Tree()
    tree.add(digests, sizes)
    once = tracemalloc.get_traced_memory()[1]
    for _ in range(5):
        tree.add(digests, sizes)
    tree.root()
    assert tracemalloc.get_traced_memory()[1] < once + 1_000_000
    tracemalloc.stop()


def test_hashes_and_sizes_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="not the hashes of 2 chunks"):
        Tree().add(bytes(32), numpy.array([1, 1]))
