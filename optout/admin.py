from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from smscore.msisdn import InvalidMsisdn, parse_msisdn

from .models import OptOutKeyword, SuppressionEntry
from .services import ReasonMissing, record_opt_out, remove_suppression


class BlockForm(forms.ModelForm):
    class Meta:
        model = SuppressionEntry
        fields = ["msisdn", "tenant", "reason"]
        labels = {"tenant": _("account")}
        help_texts = {"tenant": _("Leave empty to block the number for every account.")}

    def clean_msisdn(self) -> str:
        try:
            return str(parse_msisdn(self.cleaned_data["msisdn"]))
        except InvalidMsisdn as error:
            raise ValidationError(_("This is not a mobile number.")) from error


class RemovalForm(ActionForm):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)


@admin.register(SuppressionEntry)
class SuppressionEntryAdmin(admin.ModelAdmin):
    """Staff block numbers, for one account or (without account) for all, and take them off again with a reason."""

    form = BlockForm
    action_form = RemovalForm
    actions = ["take_off"]
    list_display = ["msisdn", "tenant", "source", "is_active", "created_at"]
    list_filter = ["source", "is_active"]
    search_fields = ["msisdn"]
    autocomplete_fields = ["tenant"]
    list_select_related = ["tenant"]
    show_full_result_count = False

    @admin.action(description=_("Take off the list, for the reason beside"), permissions=["delete_by_service"])
    def take_off(self, request: HttpRequest, entries: QuerySet[SuppressionEntry]) -> None:
        reason = request.POST.get("reason", "")
        try:
            done = sum(remove_suppression(entry=entry, actor=request.user, reason=reason) for entry in entries)  # type: ignore[arg-type]
        except ReasonMissing:
            self.message_user(request, _("Say why."), messages.ERROR)
            return
        text = ngettext("%(count)d number taken off the list.", "%(count)d numbers taken off the list.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS)

    def has_delete_by_service_permission(self, request: HttpRequest) -> bool:
        """Entries stay as history: the right to delete is the right to take off."""
        return super().has_delete_permission(request)

    def save_model(self, request: HttpRequest, obj: SuppressionEntry, form: forms.ModelForm, change: bool) -> None:
        record_opt_out(
            tenant_id=obj.tenant_id,
            msisdn=obj.msisdn,
            source=SuppressionEntry.Source.PLATFORM,
            reason=obj.reason,
            actor=request.user,  # type: ignore[arg-type]
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None  # the service wrote the row and the audit entry; this object was never saved

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("The number is on the list."))
        return HttpResponseRedirect(reverse("admin:optout_suppressionentry_changelist"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OptOutKeyword)
class OptOutKeywordAdmin(admin.ModelAdmin):
    list_display = ["keyword", "tenant"]
    search_fields = ["keyword"]
    autocomplete_fields = ["tenant"]
    list_select_related = ["tenant"]
