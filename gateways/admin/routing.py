"""Routing for platform staff: rules with their connections, health, ways of counting, statements."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.services import record_audit
from common.admin import ReadOnlyAdmin

from ..models import AccountHealth, AccountMonth, BilledProfile, RouteRule, RouteTarget


class TargetFormSet(forms.BaseInlineFormSet):
    """A tenant's own connection carries nobody else's messages."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            account = form.cleaned_data.get("gateway_account") if hasattr(form, "cleaned_data") else None
            if account is not None and account.tenant_id not in (None, self.instance.tenant_id):
                raise ValidationError(_("%(name)s belongs to another account.") % {"name": account.name})

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> Any:
        form.instance.tenant_id = self.instance.tenant_id
        return super().save_new(form, commit)

    def save_existing(self, form: forms.ModelForm, obj: Any, commit: bool = True) -> Any:
        form.instance.tenant_id = self.instance.tenant_id
        return super().save_existing(form, obj, commit)


class TargetInline(admin.TabularInline):
    model = RouteTarget
    formset = TargetFormSet
    fields = ["gateway_account", "tier", "weight", "cost_per_part", "national_tables", "is_active"]
    autocomplete_fields = ["gateway_account"]
    extra = 1


class RouteRuleForm(forms.ModelForm):
    class Meta:
        help_texts = {
            "tenant": _("Empty: for everybody; an account's own rules come first."),
            "position": _("Lower ones first. The first rule that fits and has a usable connection decides."),
            "prefix": _("+ fits every number, +90 those of Turkey, +90532 those that begin so."),
            "operator": _("Empty: every operator."),
            "purpose": _("Empty: every message."),
            "sender": _("Empty: every sender ID."),
            "balance": _("How the connections of the lowest tier share; all others are fallbacks."),
            "state": _("A draft changes nothing: try it on last month's traffic first."),
            "replaces": _("For a draft: the rule that it turns off when it comes into force."),
        }


@admin.register(RouteRule)
class RouteRuleAdmin(admin.ModelAdmin):
    form = RouteRuleForm
    list_display = ["name", "tenant", "position", "prefix", "operator", "purpose", "sender", "balance", "state"]
    list_filter = ["state", "purpose", "operator"]
    search_fields = ["name", "tenant__name"]
    autocomplete_fields = ["tenant", "replaces"]
    list_select_related = ["tenant"]
    fields = ["name", "tenant", "position", "prefix", "operator", "purpose", "sender", "balance", "state", "replaces"]
    inlines = [TargetInline]
    change_list_template = "admin/route_rules.html"  # leads to the dry run

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        rule = form.instance
        action = "route.updated" if change else "route.created"
        data = {"fields": form.changed_data, "state": rule.state, "connections": rule.targets.count()}
        record_audit(tenant=rule.tenant, actor=request.user, action=action, target=rule.name, data=data)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and obj.state == RouteRule.State.DRAFT  # the others are turned off: messages name them


@admin.register(AccountHealth)
class AccountHealthAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "state", "cause", "share", "changed_at", "opened_at"]
    list_filter = ["state"]
    list_select_related = ["gateway_account"]
    fields = ["gateway_account", "state", "cause", "share", "changed_at", "opened_at", "updated_at"]


@admin.register(BilledProfile)
class BilledProfileAdmin(admin.ModelAdmin):
    list_display = ["gateway_account", "national", "widens_turkish"]
    list_display += ["turkish_letter_cost", "extension_cost", "suffix_units"]
    autocomplete_fields = ["gateway_account"]
    list_select_related = ["gateway_account"]
    fields = ["gateway_account", "national", "widens_turkish"]
    fields += ["turkish_letter_cost", "extension_cost", "suffix_units", "most_parts"]

    def save_model(self, request: HttpRequest, obj: BilledProfile, form: forms.ModelForm, change: bool) -> None:
        obj.tenant_id = obj.gateway_account.tenant_id
        super().save_model(request, obj, form, change)
        record_audit(
            tenant=obj.tenant,
            actor=request.user,  # type: ignore[arg-type]
            action="gateway.counting_changed",
            target=obj.gateway_account.name,
            data={"fields": form.changed_data},
        )


@admin.register(AccountMonth)
class AccountMonthAdmin(ReadOnlyAdmin):
    """Drift: what the provider says against what we counted."""

    list_display = ["gateway_account", "month", "messages", "our_parts", "their_parts", "part_drift"]
    list_display += ["our_cost", "their_cost", "cost_drift"]
    list_filter = ["month"]
    list_select_related = ["gateway_account"]

    @admin.display(description=_("parts, difference"))
    def part_drift(self, row: AccountMonth) -> int:
        return row.their_parts - row.our_parts

    @admin.display(description=_("cost, difference"))
    def cost_drift(self, row: AccountMonth) -> Any:
        return row.their_cost - row.our_cost
