"""Papers and approvals of sender IDs, for platform staff."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnlyAdmin

from ..models import SenderApproval, SenderDocument
from ..services.approvals import decide_approval
from ..services.documents import CONTENT_TYPES

State = SenderApproval.State


class LinksDocument:
    @admin.display(description=_("document"))
    def link(self, document: SenderDocument) -> str:
        url = reverse("admin:gateways_senderdocument_download", args=[document.pk])
        return format_html('<a href="{}">{}</a> ({})', url, document.file_name, filesizeformat(document.size_bytes))


class DocumentInline(LinksDocument, admin.TabularInline):
    model = SenderDocument
    fields = ("link", "created_by", "created_at")
    readonly_fields = ("link", "created_by", "created_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SenderDocument)
class SenderDocumentAdmin(LinksDocument, ReadOnlyAdmin):
    list_display = ["file_name", "sender", "tenant", "size_bytes", "created_at"]
    search_fields = ["sender__name", "tenant__name"]
    list_select_related = ["sender", "tenant"]
    fields = ["sender", "tenant", "link", "created_by", "created_at"]
    readonly_fields = ["link"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("<int:pk>/download/", view, name="gateways_senderdocument_download"), *super().get_urls()]

    def download(self, request: HttpRequest, pk: int) -> FileResponse:
        """As an attachment: what somebody uploaded is never shown as a page of ours."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        document = SenderDocument.objects.filter(pk=pk).first()
        if document is None or not default_storage.exists(document.stored_path):
            raise Http404
        return FileResponse(
            default_storage.open(document.stored_path, "rb"),
            as_attachment=True,
            filename=document.file_name,
            content_type=CONTENT_TYPES[document.kind],
            headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"},
        )


class DecisionButtons(admin.ModelAdmin):
    """Approve and refuse on the page where staff read what they decide about, too: the actions of the list, for one
    row. `decisions` names them."""

    change_form_template = "admin/gateways/decision_form.html"
    decisions: tuple[str, ...] = ("approve", "refuse")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        labels = dict(self.get_action_choices(request))
        context["decisions"] = [(name, labels[name]) for name in self.decisions if name in labels]
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """What was typed beside is saved by now."""
        for name in self.decisions:
            if f"_{name}" in request.POST:
                getattr(self, name)(request, self.get_queryset(request).filter(pk=obj.pk))
                return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)


class ReasonForm(ActionForm):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)


class SenderApprovalForm(forms.ModelForm):
    """`decision_reason` goes with the buttons; what was decided before stands in `reason`."""

    decision_reason = forms.CharField(
        label=_("Reason of a decision"),
        required=False,
        max_length=200,
        help_text=_("The account reads it; a refusal needs one."),
    )


@admin.register(SenderApproval)
class SenderApprovalAdmin(DecisionButtons):
    """Decisions go through the actions, with a reason; a row by hand is a new question."""

    form = SenderApprovalForm

    list_display = ["sender", "tenant", "gateway_account", "state", "provider_name", "decided_by", "decided_at"]
    list_filter = ["state", "gateway_account"]
    search_fields = ["sender__name", "tenant__name", "gateway_account__name"]
    list_select_related = ["sender", "tenant", "gateway_account", "decided_by"]
    autocomplete_fields = ["sender", "gateway_account"]
    fields = ["sender", "gateway_account", "provider_name", "state", "reason", "decided_by", "decided_at"]
    actions = ["approve", "refuse"]
    action_form = ReasonForm

    def get_fields(self, request: HttpRequest, obj: SenderApproval | None = None) -> Any:
        return [*self.fields, "decision_reason"] if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: SenderApproval | None = None) -> list[str]:
        always = ["state", "reason", "decided_by", "decided_at"]
        return [*always, "sender", "gateway_account"] if obj else always

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SenderApproval, form: forms.ModelForm, change: bool) -> None:
        obj.tenant = obj.sender.tenant
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Approve"), permissions=["change"])
    def approve(self, request: HttpRequest, approvals: QuerySet[SenderApproval]) -> None:
        self._decide(request, approvals, State.APPROVED)

    @admin.action(description=_("Refuse"), permissions=["change"])
    def refuse(self, request: HttpRequest, approvals: QuerySet[SenderApproval]) -> None:
        if not _read_reason(request):
            self.message_user(request, gettext("Say why: the account reads the reason."), messages.ERROR)
            return
        self._decide(request, approvals, State.REFUSED)

    def _decide(self, request: HttpRequest, approvals: QuerySet[SenderApproval], state: str) -> None:
        reason = _read_reason(request)
        done = sum(
            decide_approval(approval=approval, state=state, actor=request.user, reason=reason)  # type: ignore[arg-type]
            for approval in approvals.select_related("sender", "tenant", "gateway_account")
        )
        text = ngettext("%(count)d approval changed.", "%(count)d approvals changed.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)


def _read_reason(request: HttpRequest) -> str:
    """From beside the list's actions, or from the form beside the buttons."""
    return (request.POST.get("reason") or request.POST.get("decision_reason") or "").strip()
