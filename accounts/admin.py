"""Accounts for platform staff. Runs in platform scope (ScopeMiddleware), so every tenant is visible."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnlyAdmin

from .audit_labels import label_of
from .forms import choose_zones
from .models import AuditEntry, Membership, Tenant, User
from .services import close_accounts_below, record_audit

admin.site.site_header = _("Peyk administration")
admin.site.site_title = "Peyk"
admin.site.index_title = _("Platform")


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class UserEditForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class AuditedMemberships:
    """Mixin of pages with members in them: who was let in, changed or put out stands in the account's trail."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save()
        if formset.model is not Membership:
            return
        changes = [("member.added", row) for row in formset.new_objects]
        changes += [("member.role_changed", row) for row, _fields in formset.changed_objects]
        changes += [("member.removed", row) for row in formset.deleted_objects]
        for action, row in changes:
            record_audit(
                tenant=row.tenant,
                actor=request.user,  # type: ignore[arg-type]
                action=action,
                target=row.user.email,
                data={"role": row.role},
            )


class UserMembershipInline(admin.TabularInline):
    model = Membership
    fk_name = "user"
    extra = 0
    autocomplete_fields = ["tenant"]


@admin.register(User)
class UserAdmin(AuditedMemberships, DjangoUserAdmin):
    form = UserEditForm
    add_form = UserAddForm
    inlines = [UserMembershipInline]
    ordering = ["email"]
    list_display = ["email", "full_name", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "language"]
    search_fields = ["email", "full_name"]
    readonly_fields = ["public_id", "last_login", "date_joined"]
    filter_horizontal = ["groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["email", "password", "full_name", "public_id"]}),
        (_("Preferences"), {"fields": ["language", "theme"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {"classes": ["wide"], "fields": ["email", "full_name", "usable_password", "password1", "password2"]},
        )
    ]

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return super().get_inline_instances(request, obj) if obj else []  # first the person, then memberships

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what a person did stays; close the sign-in with "active"


class TenantEditForm(forms.ModelForm):
    time_zone = forms.ChoiceField(label=_("time zone"), choices=choose_zones, initial="Europe/Istanbul")

    class Meta:
        model = Tenant
        fields = "__all__"


class MembershipInline(admin.TabularInline):
    model = Membership
    fk_name = "tenant"
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Tenant)
class TenantAdmin(AuditedMemberships, admin.ModelAdmin):
    form = TenantEditForm
    inlines = [MembershipInline]
    list_display = ["name", "slug", "parent", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug", "mersis_number"]
    autocomplete_fields = ["parent"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["public_id", "created_at"]
    list_select_related = ["parent"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def save_model(self, request: HttpRequest, obj: Tenant, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = "tenant.updated" if change else "tenant.created"
        data = {"fields": form.changed_data} if change else {}
        record_audit(tenant=obj, actor=request.user, action=action, target=obj.slug, data=data)  # type: ignore[arg-type]
        if change and "is_active" in form.changed_data and not obj.is_active:
            below = close_accounts_below(agency=obj, actor=request.user)  # type: ignore[arg-type]
            if below:
                names = ", ".join(tenant.name for tenant in below)
                messages.warning(request, gettext("Accounts below it were closed, too: %(names)s") % {"names": names})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # close it with "active"; its ledger and messages must stay


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "tenant", "actor", "action_label", "target"]
    list_filter = ["action"]
    search_fields = ["target", "actor__email", "tenant__name"]
    list_select_related = ["tenant", "actor"]
    date_hierarchy = "at"
    ordering = ["-at"]

    @admin.display(description=_("action"), ordering="action")
    def action_label(self, entry: AuditEntry) -> str:
        return label_of(entry.action)
