from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.services import record_audit

from ..forms.account import GatewayAccountForm
from ..forms.papers import explain_problems
from ..forms.settings_guide import list_guides
from ..models import GatewayAccount, InboundNumber, SenderApproval, SenderId
from ..push_addresses import list_push_addresses
from ..selectors.connections import list_health
from ..services.approvals import decide_approval
from ..services.connections import ask_for_check, renew_push_token, switch_connection
from ..services.senders import SenderLooksAlike, approve_sender, refuse_sender
from ..tasks import check_connection
from ..views.connection_rows import build_check, build_row
from .senders import DecisionButtons, DocumentInline
from .trial_pages import TrialPages


@admin.register(GatewayAccount)
class GatewayAccountAdmin(TrialPages):
    form = GatewayAccountForm
    list_display = ["name", "adapter", "tenant", "rate_per_second", "slots", "is_active", "show_state", "show_figures"]
    list_filter = ["adapter", "is_active"]
    search_fields = ["name", "tenant__name"]
    autocomplete_fields = ["tenant"]
    list_select_related = ["tenant"]
    readonly_fields = ["show_guide", "show_state", "show_figures", "show_check", "listed_senders"]
    actions = ["test", "switch_off", "switch_on", "renew_addresses"]

    class Media:
        js = ["js/panel.js"]  # copy buttons

    def get_readonly_fields(self, request: HttpRequest, obj: GatewayAccount | None = None) -> list[str]:
        """Addresses for who manages connections: whoever knows one can send us reports."""
        manages = obj is not None and self.has_change_permission(request, obj) and list_push_addresses(obj)
        return [*self.readonly_fields, "show_addresses"] if manages else list(self.readonly_fields)

    @admin.display(description=_("addresses for the provider"))
    def show_addresses(self, account: GatewayAccount) -> str:
        advice = gettext("Enter them in the provider's portal, so that it brings reports and replies by itself.")
        rows = [(a.title, a.url, a.url, gettext("Copy")) for a in list_push_addresses(account)]
        row = '<br>{}: <code>{}</code> <button type="button" class="button" data-copy="{}">{}</button>'
        return format_html("{}{}", advice, format_html_join("", row, rows))

    def get_fields(self, request: HttpRequest, obj: GatewayAccount | None = None) -> Any:
        """The guide stands where it is needed; what is known of a connection only where there is one."""
        fields = [*GatewayAccountForm.Meta.fields, "new_secret"]
        fields.insert(fields.index("settings") + 1, "show_guide")
        known = [name for name in self.get_readonly_fields(request, obj) if name != "show_guide"]
        return fields + (known if obj else [])

    @admin.display(description=_("what belongs into it"))
    def show_guide(self, account: GatewayAccount) -> str:
        guides = [guide for guide in list_guides() if account.adapter in ("", guide.slug)]
        return render_to_string("admin/gateways/gatewayaccount/settings_guide.html", {"guides": guides})

    @admin.display(description=_("state"))
    def show_state(self, account: GatewayAccount) -> str:
        row = build_row(list_health([account])[0])
        return " · ".join(part for part in (row.light_label, row.state_label, row.health.code) if part)

    @admin.display(description=_("last 15 minutes"))
    def show_figures(self, account: GatewayAccount) -> str:
        recent = list_health([account])[0].recent
        return gettext("%(accepted)d accepted, %(refused)d refused, %(waiting)d waiting") % {
            "accepted": recent.accepted,
            "refused": recent.refused,
            "waiting": recent.waiting,
        }

    @admin.display(description=_("connection test"))
    def show_check(self, account: GatewayAccount) -> str:
        check = build_check(account)
        if check.row is None or check.diagnosis is None:
            return "–"
        parts = [check.diagnosis.headline, check.diagnosis.remedy, check.row.code, check.row.balance]
        return " ".join(part for part in parts if part)

    @admin.action(description=_("Test the connection"), permissions=["change"])
    def test(self, request: HttpRequest, accounts: QuerySet[GatewayAccount]) -> None:
        """A worker makes the tests; their results stand on each connection's page."""
        asked = [account.pk for account in accounts if ask_for_check(account=account)]
        for pk in asked:
            transaction.on_commit(partial(check_connection.delay, pk), robust=True)
        text = ngettext("%(count)d test has begun.", "%(count)d tests have begun.", len(asked))
        self.message_user(request, text % {"count": len(asked)}, messages.SUCCESS if asked else messages.WARNING)

    @admin.action(description=_("Switch off: nothing further is sent"), permissions=["change"])
    def switch_off(self, request: HttpRequest, accounts: QuerySet[GatewayAccount]) -> None:
        self._switch(request, accounts, is_active=False)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, accounts: QuerySet[GatewayAccount]) -> None:
        self._switch(request, accounts, is_active=True)

    @admin.action(
        description=_("Renew the addresses for the provider: the present ones stop working"), permissions=["change"]
    )
    def renew_addresses(self, request: HttpRequest, accounts: QuerySet[GatewayAccount]) -> None:
        for account in accounts:
            renew_push_token(account=account, actor=request.user)  # type: ignore[arg-type]
        done = len(accounts)
        text = ngettext("%(count)d connection changed.", "%(count)d connections changed.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS)

    def _switch(self, request: HttpRequest, accounts: QuerySet[GatewayAccount], *, is_active: bool) -> None:
        done = sum(
            switch_connection(account=account, is_active=is_active, actor=request.user)  # type: ignore[arg-type]
            for account in accounts
        )
        text = ngettext("%(count)d connection changed.", "%(count)d connections changed.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS if done else messages.WARNING)

    def save_model(self, request: HttpRequest, obj: GatewayAccount, form: forms.ModelForm, change: bool) -> None:
        secret = form.cleaned_data.get("new_secret")
        if secret:
            obj.set_secret(secret)
        if "is_active" in form.changed_data:
            obj.switched_at = timezone.now()
        super().save_model(request, obj, form, change)
        action = "gateway.updated" if change else "gateway.created"
        # Names of the fields only: values may be credentials.
        data = {"fields": form.changed_data}
        record_audit(tenant=obj.tenant, actor=request.user, action=action, target=obj.name, data=data)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # messages and receipts name it; close it with "active"


class SenderIdForm(forms.ModelForm):
    """An application that staff enter for an account, by the operators' rules."""

    class Meta:
        model = SenderId
        fields = ["tenant", "name", "note"]
        labels = {"tenant": _("Account")}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if problems := explain_problems(name):
            raise forms.ValidationError(problems)
        return name


class ApprovalInline(admin.TabularInline):
    """Refusals are made on the approvals' own page, with a reason."""

    model = SenderApproval
    fields = ["gateway_account", "provider_name", "state", "reason", "decided_at"]
    readonly_fields = ["state", "reason", "decided_at"]
    extra = 0
    can_delete = False


@admin.register(SenderId)
class SenderIdAdmin(DecisionButtons):
    form = SenderIdForm
    autocomplete_fields = ["tenant"]
    list_display = ["name", "tenant", "status", "note", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "tenant__name"]
    list_select_related = ["tenant"]
    actions = ["approve", "approve_everywhere", "approve_look_alike", "refuse"]
    decisions = ("approve", "approve_everywhere", "refuse")
    fields = ["name", "tenant", "status", "note", "public_id", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: SenderId | None = None) -> list[str]:
        always = ["public_id", "status", "created_at"]
        return [*always, "tenant", "name"] if obj else always

    def save_model(self, request: HttpRequest, obj: SenderId, form: forms.ModelForm, change: bool) -> None:
        """Entered by staff, who may know why it looks like another's; approval is a step of its own."""
        super().save_model(request, obj, form, change)
        if not change:
            record_audit(tenant=obj.tenant, actor=request.user, action="sender.requested", target=obj.name)  # type: ignore[arg-type]

    def get_inlines(self, request: HttpRequest, obj: SenderId | None) -> list[Any]:
        return [DocumentInline, ApprovalInline] if obj else []

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            row.tenant = form.instance.tenant
            row.save()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Approve"), permissions=["change"])
    def approve(self, request: HttpRequest, senders: QuerySet[SenderId]) -> None:
        done = refused = 0
        for sender in senders:
            try:
                done += approve_sender(sender=sender, actor=request.user, note=sender.note)  # type: ignore[arg-type]
            except SenderLooksAlike as error:
                text = gettext("%(name)s was not approved: it looks like %(other)s of %(account)s.") % {
                    "name": error.name,
                    "other": error.holder.name,
                    "account": error.holder.tenant.name,
                }
                self.message_user(request, text, messages.ERROR)
                refused += 1
        if done or not refused:
            self._report(request, done)

    @admin.action(description=_("Approve, at the connections that wait too"), permissions=["change"])
    def approve_everywhere(self, request: HttpRequest, senders: QuerySet[SenderId]) -> None:
        self.approve(request, senders)
        waiting = SenderApproval.objects.filter(
            sender__in=senders.filter(status=SenderId.Status.APPROVED), state=SenderApproval.State.REQUESTED
        )
        for approval in waiting.select_related("sender", "tenant", "gateway_account"):
            decide_approval(approval=approval, state=SenderApproval.State.APPROVED, actor=request.user)  # type: ignore[arg-type]

    @admin.action(description=_("Approve although it looks like another account's"), permissions=["change"])
    def approve_look_alike(self, request: HttpRequest, senders: QuerySet[SenderId]) -> None:
        done = sum(
            approve_sender(sender=sender, actor=request.user, note=sender.note, despite_look_alike=True)  # type: ignore[arg-type]
            for sender in senders
        )
        self._report(request, done)

    @admin.action(description=_("Refuse"), permissions=["change"])
    def refuse(self, request: HttpRequest, senders: QuerySet[SenderId]) -> None:
        done = sum(refuse_sender(sender=sender, actor=request.user, note=sender.note) for sender in senders)  # type: ignore[arg-type]
        self._report(request, done)

    def _report(self, request: HttpRequest, done: int) -> None:
        if done:
            text = ngettext("%(count)d sender ID changed.", "%(count)d sender IDs changed.", done) % {"count": done}
            self.message_user(request, text, messages.SUCCESS)
        else:
            self.message_user(request, gettext("Nothing to change."), messages.WARNING)


@admin.register(InboundNumber)
class InboundNumberAdmin(admin.ModelAdmin):
    list_display = ["recipient", "keyword", "tenant", "gateway_account", "is_active"]
    list_filter = ["is_active", "gateway_account"]
    search_fields = ["recipient", "keyword", "tenant__name"]
    autocomplete_fields = ["tenant", "gateway_account"]
    list_select_related = ["tenant", "gateway_account"]
