"""The rare things: accounts in the Django admin."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.accounts.models import Invite, Membership, Organization, RetiredNamespace, Token, User


class Looked(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only the hub's own verbs write; here they are looked at."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class Removable(Looked):
    """Rows that may also be deleted, with which nothing else goes."""

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Members are let in and put out on the organization's own page, which keeps an admin among them."""

    model = Membership
    extra = 0
    can_delete = False
    fields = readonly_fields = ("user", "role", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(Looked):
    """Names and addresses; closing accounts and giving rights belong to the page of people, which writes them down."""

    list_display = ("username", "fullname", "email", "is_active", "is_staff", "is_reviewer", "last_login")
    list_filter = ("is_active", "is_staff", "is_reviewer")
    search_fields = ("username", "fullname", "email")
    fields = (
        "username", "fullname", "email", "is_active", "is_staff", "is_reviewer", "is_superuser", "last_login", "page"
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in ("fullname", "email"))

    @admin.display(description="rights, password, bound")
    def page(self, user: User) -> SafeString:
        """Lead to where they are changed."""
        return format_html(
            '<a href="{}">{}</a>', reverse("pages:staff-person", args=[user.username]), "People"
        )

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Only what people say of themselves can be changed."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)


@admin.register(Organization)
class OrganizationAdmin(Looked):
    """Deleting goes through `people.delete_namespace`, which keeps the name retired."""

    list_display = ("name", "fullname", "private_by_default", "created_at")
    search_fields = ("name", "fullname")
    fields = ("name", "fullname", "private_by_default")
    readonly_fields = ("name",)
    inlines = (MembershipInline,)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Its description and default can be changed."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)


@admin.register(Token)
class TokenAdmin(Removable):
    """Deleting a token ends it at once."""

    list_display = ("name", "user", "kind", "hint", "created_at", "last_used_at", "expires_at")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "=hint")
    exclude = ("digest",)


@admin.register(Invite)
class InviteAdmin(Removable):
    """Deleting an invitation that was not used takes it back."""

    list_display = ("created_at", "created_by", "expires_at", "used_by")
    list_select_related = ("created_by", "used_by")
    search_fields = ("created_by__username", "used_by__username")
    exclude = ("digest",)


@admin.register(RetiredNamespace)
class RetiredNamespaceAdmin(Removable):
    """Deleting a row here gives the name free."""

    list_display = ("key", "namespace", "retired_at")
    search_fields = ("key",)
