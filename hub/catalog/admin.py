"""The rare things: repos to disable, who may review, jobs to look at, names to give again."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from hub.accounts.admin import UserAdmin
from hub.accounts.models import User
from hub.audit import acts, chain
from hub.catalog import repos
from hub.catalog.models import Job, Repo, RetiredRepo


def _actor(request: HttpRequest) -> chain.Actor:
    return chain.person(request.user) if isinstance(request.user, User) else chain.system("admin")


admin.site.unregister(User)


@admin.register(User)
class ReviewerAdmin(UserAdmin):
    """Accounts; who may review is written down, since what was permitted rests on their word."""

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the account, and say in the audit chain who became a reviewer or an administrator, or ceases to be."""
        super().save_model(request, obj, form, change)
        if {"is_reviewer", "is_staff"} & set(form.changed_data):
            chain.append(
                act=acts.REVIEWER_CHANGED, actor=_actor(request), role="staff", subject=f"user:{obj.pk}",
                data={"reviewer": obj.is_reviewer, "staff": obj.is_staff}, about={obj.pk: {"name": obj.username}},
            )  # fmt: skip


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

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Repo, form: object, change: bool) -> None:
        """The only field that can be changed here; what was made from the repo follows it."""
        repos.disable(obj, disabled=obj.disabled)
        for repo in (obj, *obj.derived.all()):
            chain.append(
                act=acts.REPO_DISABLED, actor=_actor(request), role="staff", subject=str(repo.pk), label=repo.full_name,
                data={"disabled": obj.disabled},
            )  # fmt: skip

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
