"""How memory is drawn: what the bars stand on."""

from hub.catalog.memory import GB
from hub.pages.fitting import scale_of


def test_a_scale_has_room_for_the_largest_and_for_what_the_reader_has() -> None:
    scale = scale_of(5 * GB, 8)
    assert scale.end > 8 * GB and scale.cut is not None and 90 < scale.cut < 100
    assert (scale.unit, [words for _, words in scale.ticks]) == ("GB", ["0", "2", "4", "6", "8"])
    assert scale_of(20 * GB, 8).end > 20 * GB


def test_memory_far_beyond_the_largest_does_not_flatten_the_bars() -> None:
    scale = scale_of(450_000_000, 8)
    assert scale.cut is None and scale.end < 500_000_000
    assert (scale.unit, [words for _, words in scale.ticks]) == ("MB", ["0", "100", "200", "300", "400"])
