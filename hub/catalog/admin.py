"""The rare things: what no page of the hub reaches, and what is behind the pages.  Most of it is only looked at.

Accounts, roles and bounds are changed at ``/staff/people``, where every act is written down.
"""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.accounts.admin import Looked, Removable
from hub.accounts.models import User
from hub.audit import acts, chain
from hub.audit.models import Entry
from hub.catalog import repos
from hub.catalog.models import Job, Quota, Repo, RepoBlob, RetiredRepo
from storage.models import Blob, Upload, Xorb


def _login(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Send whoever is a stranger to the hub's own login, which counts wrong passwords."""
    if request.user.is_authenticated:
        raise PermissionDenied
    asked = request.GET.get("next") or reverse("admin:index")
    return HttpResponseRedirect(f"{reverse('pages:login')}?{urlencode({'next': asked})}")


admin.site.site_header = "Weighhouse: the rare things"
admin.site.site_title = "Weighhouse"
admin.site.index_title = "Behind the pages"
admin.site.site_url = "/staff"
admin.site.enable_nav_sidebar = False
admin.site.login = _login  # type: ignore[method-assign]
# Who may do what is said by roles here, never by groups.
admin.site.unregister(Group)


def _actor(request: HttpRequest) -> chain.Actor:
    return chain.person(request.user) if isinstance(request.user, User) else chain.system("admin")


@admin.register(Repo)
class RepoAdmin(Looked):
    """Disabling stops every download at once; making, moving and deleting go through the verbs of `repos`."""

    list_display = (
        "full_name",
        "type",
        "private",
        "gated",
        "disabled",
        "clearance",
        "used_storage",
        "updated_at",
    )
    list_filter = ("type", "private", "gated", "disabled", "clearance")
    search_fields = ("full_name",)
    fields = (
        "page", "full_name", "type", "private", "gated", "disabled", "clearance", "source", "head", "used_storage",
        "created_by", "created_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "disabled")

    @admin.display(description="page")
    def page(self, repo: Repo) -> SafeString:
        """Lead to the repo's own page."""
        prefix = "datasets/" if repo.type == Repo.Type.DATASET else ""
        return format_html('<a href="/{}{}">{}</a>', prefix, repo.full_name, repo.full_name)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Only ``disabled`` can be changed."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Repo, form: Any, change: bool) -> None:
        """The only field that can be changed here; what was made from the repo follows it."""
        if "disabled" not in form.changed_data:
            return
        repos.disable(obj, disabled=obj.disabled)
        for repo in (obj, *obj.derived.all()):
            chain.append(
                act=acts.REPO_DISABLED, actor=_actor(request), role="staff", subject=str(repo.pk), label=repo.full_name,
                data={"disabled": obj.disabled},
            )  # fmt: skip


@admin.register(RetiredRepo)
class RetiredRepoAdmin(Removable):
    """Deleting a row here gives the id free."""

    list_display = ("key", "type", "namespace", "retired_at")
    search_fields = ("key",)


@admin.register(Job)
class JobAdmin(Looked):
    """Jobs are written by those who ask and those who run; `/jobs` ends them and asks again."""

    list_display = ("kind", "repo", "state", "progress", "step", "run", "failures", "due_at", "finished_at")
    list_filter = ("kind", "state")
    ordering = ("-created_at",)
    list_select_related: ClassVar = ["repo"]
    search_fields = ("subject", "error", "repo__full_name")


@admin.register(RepoBlob)
class RepoBlobAdmin(Looked):
    """Which repo came by which large file, and whether it is proven."""

    list_display = ("sha256", "repo", "size", "state", "created_at", "settled_at")
    list_filter = ("state",)
    list_select_related: ClassVar = ["repo"]
    search_fields = ("=sha256", "repo__full_name")


@admin.register(Quota)
class QuotaAdmin(Looked):
    """Bounds, and what was last counted."""

    list_display = ("namespace", "used", "bound", "told", "counted_at")
    list_select_related: ClassVar = ["namespace"]
    search_fields = ("namespace__name",)
    ordering = ("-used",)


@admin.register(Blob)
class BlobAdmin(Looked):
    """Proven bytes; one that is held back says why."""

    list_display = ("sha256", "size", "created_at", "quarantined_at")
    list_filter = (("quarantined_at", admin.EmptyFieldListFilter),)
    search_fields = ("=sha256",)


@admin.register(Upload)
class UploadAdmin(Looked):
    """Bytes on their way in."""

    list_display = ("sha256", "size", "state", "created_at", "touched_at", "problem")
    list_filter = ("state",)
    search_fields = ("=sha256", "owner")


@admin.register(Xorb)
class XorbAdmin(Looked):
    """Chunks kept together."""

    list_display = ("hash", "domain", "stored_size", "raw_size", "state", "mentioned_at", "scrubbed_at")
    list_filter = ("state",)
    search_fields = ("=hash", "=domain")
    exclude = ("index",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave the index out, which is large."""
        return super().get_queryset(request).defer("index")


@admin.register(Entry)
class EntryAdmin(Looked):
    """The audit chain; names stand beside it, and `/audit` shows both."""

    list_display = ("seq", "act", "actor_kind", "actor", "role", "label", "subject", "at")
    list_filter = ("act", "actor_kind")
    search_fields = ("=subject", "label", "=act", "=actor")
    ordering = ("-pk",)
