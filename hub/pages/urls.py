"""Pages.  Everything that is no fixed word here is the name of a user, an organization or a repo."""

from django.urls import URLPattern, path

from hub.pages import (
    account,
    act_urls,
    audit,
    browse,
    compare,
    errors,
    feeds,
    files,
    gate,
    history,
    integrity,
    languages,
    licenses,
    people,
    quantizations,
    repos,
    review_urls,
    staff,
    stewards,
    suggesting,
    tensors,
    terms_urls,
)

app_name = "pages"


def _repo_pages(prefix: str, kind: str) -> list[URLPattern]:
    """Return the pages of one repo type, behind ``prefix``."""
    extra = {"kind": kind}
    base = f"{prefix}<full_repo:repo>"
    return [
        path(base, repos.card, extra, name=kind),
        path(f"{base}/use", repos.use, extra),
        path(f"{base}/tensors", tensors.show, extra),
        path(f"{base}/proof/<rest:rest>", repos.proof, extra),
        path(f"{base}/tree", files.tree, extra),
        path(f"{base}/tree/<rest:rest>", files.tree, extra),
        path(f"{base}/blob/<rest:rest>", files.blob, extra),
        path(f"{base}/integrity", integrity.show, extra),
        path(f"{base}/commits", history.commits, extra),
        path(f"{base}/commits/<rest:rest>", history.commits, extra),
        path(f"{base}/commit/<seg:sha>", history.commit, extra),
        path(f"{base}/compare", history.pick, extra),
        path(f"{base}/compare/<rest:rest>", history.compare, extra),
        path(f"{base}/ask-access", gate.ask, extra),
        *terms_urls.repo_pages(base, kind),
        path(f"{base}/settings/access", gate.manage, extra),
        *act_urls.repo_pages(base, kind),
    ]


urlpatterns: list[URLPattern] = [
    path("", browse.home, name="home"),
    path("models", browse.home, name="models"),
    path("models/new.atom", feeds.newest, {"kind": "model"}, name="model-feed"),
    path("datasets/new.atom", feeds.newest, {"kind": "dataset"}, name="dataset-feed"),
    path("datasets", browse.datasets, name="datasets"),
    path("compare", compare.show, name="compare"),
    path("search", suggesting.show, name="search"),
    *review_urls.REVIEW,
    path("licenses", licenses.shelf_list, name="licenses"),
    path("licenses/<seg:license_id>", licenses.one, name="license"),
    path("licenses/<seg:license_id>/<seg:sha256>", licenses.text, name="license-text"),
    path("staff", staff.show, name="staff"),
    path("staff/people", stewards.people, name="staff-people"),
    path("staff/people/invite", stewards.invite, name="staff-invite"),
    path("staff/people/<seg:name>", stewards.one, name="staff-person"),
    path("audit", audit.permitted, name="audit"),
    path("audit/entries", audit.entries, name="audit-entries"),
    path("audit/recall", audit.recalled, name="recall"),
    path("audit/recall/suspend", audit.suspend, name="recall-suspend"),
    path("design/", staff.design, name="design"),
    *terms_urls.urlpatterns,
    path("robots.txt", errors.robots),
    path("favicon.ico", errors.favicon),
    path("login", people.log_in, name="login"),
    path("logout", people.log_out, name="logout"),
    path("signup", people.sign_up, name="signup"),
    path("password/reset", account.Reset.as_view(), name="reset"),
    path("password/reset/sent", account.ResetSent.as_view(), name="reset-sent"),
    path("password/reset/<str:uidb64>/<str:token>", account.ResetConfirm.as_view(), name="reset-confirm"),
    path("settings/language", languages.choose, name="language"),
    path("settings/tokens", account.tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke", account.revoke, name="revoke"),
    path("settings/password", account.password, name="password"),
    *act_urls.urlpatterns,
    *_repo_pages("datasets/", "dataset"),
    *_repo_pages("", "model"),
    path("<full_repo:repo>/quantizations", quantizations.show, name="quantizations"),
    path("<full_repo:repo>/quantizations/<seg:job>/cancel", quantizations.cancel, name="cancel-quantization"),
    path("<seg:name>", browse.namespace, name="namespace"),
]
