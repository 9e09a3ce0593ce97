"""Pulls of the last thirty days, as lists are ordered by them."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.catalog import counters
from hub.catalog.models import DownloadDay, Repo
from tests.factories import make_repo, make_viewer


def pulls() -> dict[str, int]:
    return dict(Repo.objects.values_list("name", "downloads"))


@pytest.mark.django_db
def test_pulls_of_the_last_thirty_days_are_added_up_and_older_ones_forgotten() -> None:
    ada, today = make_viewer("ada"), datetime.now(UTC).date()
    scales, barge = make_repo(ada, "scales"), make_repo(ada, "barge")
    Repo.objects.filter(pk=barge.pk).update(downloads=7)
    for days, count in ((0, 3), (29, 4), (30, 50)):
        DownloadDay.objects.create(repo=scales, day=today - timedelta(days=days), count=count)
    counters.refresh_window()
    assert pulls() == {"scales": 7, "barge": 0}
    DownloadDay.objects.filter(day=today).delete()
    counters.refresh_window([str(barge.pk)])
    assert pulls()["scales"] == 7
    counters.refresh_window([str(scales.pk)])
    assert pulls()["scales"] == 4
