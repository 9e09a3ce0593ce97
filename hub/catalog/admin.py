"""The rare things: repos to disable, jobs to look at, names to give again."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest

from hub.catalog import repos
from hub.catalog.models import Job, Repo, RetiredRepo


@admin.register(Repo)
class RepoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Disabling stops every download at once; making, moving and deleting go through the verbs of `repos`."""

    list_display = ("full_name", "type", "private", "gated", "disabled", "used_storage", "updated_at")
    list_filter = ("type", "private", "gated", "disabled")
    search_fields = ("full_name",)
    fields = (
        "full_name",
        "type",
        "private",
        "gated",
        "disabled",
        "source",
        "head",
        "created_by",
        "created_at",
    )
    readonly_fields = ("full_name", "type", "private", "gated", "source", "head", "created_by", "created_at")

    def save_model(self, request: HttpRequest, obj: Repo, form: object, change: bool) -> None:
        """The only field that can be changed here; what was made from the repo follows it."""
        repos.disable(obj, disabled=obj.disabled)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Repo | None = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Jobs are written by those who ask and those who run; here they are only looked at."""

    list_display = ("kind", "repo", "state", "progress", "step", "run", "failures", "due_at", "finished_at")
    list_filter = ("kind", "state")
    list_select_related: ClassVar = ["repo"]
    search_fields = ("subject", "error", "repo__full_name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False


@admin.register(RetiredRepo)
class RetiredRepoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Deleting a row here gives the id free."""

    list_display = ("key", "type", "namespace", "retired_at")
    search_fields = ("key",)
