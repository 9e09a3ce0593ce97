"""The rare things: accounts in the Django admin."""

from django.contrib import admin
from django.http import HttpRequest

from hub.accounts.models import Membership, Organization, RetiredNamespace, User


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    raw_id_fields = ("user",)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("username", "fullname", "email", "is_active", "is_staff", "is_reviewer", "last_login")
    search_fields = ("username", "fullname", "email")
    fields = (
        "username", "fullname", "email", "is_active", "is_staff", "is_reviewer", "is_superuser", "last_login"
    )  # fmt: skip
    readonly_fields = ("username", "last_login")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Deleting goes through `people.delete_namespace`, which keeps the name retired; here one deactivates."""
        return False


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "fullname", "private_by_default", "created_at")
    search_fields = ("name", "fullname")
    readonly_fields = ("name",)
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False


@admin.register(RetiredNamespace)
class RetiredNamespaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("key", "namespace", "retired_at")
    search_fields = ("key",)
