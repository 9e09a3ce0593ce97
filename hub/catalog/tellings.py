"""What keepers of a repo are told of it as it goes through the house: that it is proven, that its terms hold it up.

One notice for each repo stands for all of a kind: what is unread gives way to what is so now.
"""

from django.db.models import Count, Sum

from hub.accounts.models import User
from hub.catalog import clearing, notices
from hub.catalog.models import Repo, RepoBlob
from hub.catalog.quotas import in_words
from licenses.models import Case
from licenses.records import findings_from_json


def proven(repo: Repo, user: User | None) -> None:
    """Tell whoever sent files that they are proven, with what the repo holds of such files in all."""
    held = RepoBlob.objects.filter(repo=repo, state=RepoBlob.State.PROVEN)
    told = held.aggregate(n=Count("pk"), size=Sum("size"))
    files = "1 large file" if told["n"] == 1 else f"{told['n']:,} large files"
    text = f"{repo.full_name} is proven: {files}, {in_words(told['size'] or 0)}."
    notices.notify(user, notices.JOB_DONE, repo, text, clearing.page_of(repo), instead=True)


def held_up(repo: Repo, case: Case) -> None:
    """Tell those who keep a repo, and who made it, that reading its terms holds its bytes back, and for how much."""
    people = {user.pk: user for user in notices.keepers_of(repo)}
    if repo.created_by is not None:
        people[repo.created_by.pk] = repo.created_by
    open_now = sum(one.holds for one in findings_from_json(case.findings))
    what = "a person reviews its terms"
    if open_now:
        what = "1 thing to settle" if open_now == 1 else f"{open_now} things to settle"
    name = repo.full_name
    blocked = repo.clearance == Repo.Clearance.BLOCKED
    text = f"{name} is blocked: {what}." if blocked else f"{name} is held: {what}."
    url = clearing.terms_page(repo)
    notices.notify_all(people.values(), notices.REVIEW_DECIDED, repo, text, url, instead=True)
