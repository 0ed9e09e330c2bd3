"""Staff try drafts of routing rules on last month's traffic, and put them into force."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnlyAdmin
from gateways.models import RouteRule
from gateways.routing.book import apply_drafts

from .models import RouteStep
from .selectors.dry_run import try_rules


class DraftForm(forms.Form):
    drafts = forms.ModelMultipleChoiceField(
        label=_("Drafts"), queryset=RouteRule.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["drafts"].queryset = RouteRule.objects.filter(state=RouteRule.State.DRAFT)  # type: ignore[attr-defined]


@admin.register(RouteStep)
class RouteStepAdmin(ReadOnlyAdmin):
    """Every decision and move of routing, newest first; the dry run of rules is a page of its own here."""

    list_display = ["created_at", "tenant", "run", "cause", "detail", "rule_name", "gateway_account_id"]
    list_filter = ["cause"]
    search_fields = ["=run__id", "rule_name"]
    list_select_related = ["tenant", "run"]
    ordering = ["-id"]
    change_list_template = "admin/route_steps.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.show_dry_run)
        return [path("dry-run/", view, name="messaging_routestep_dry_run"), *super().get_urls()]

    def show_dry_run(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("gateways.change_routerule"):
            raise PermissionDenied
        is_asked = "drafts" in request.GET or request.method == "POST"
        form = DraftForm((request.POST or request.GET) if is_asked else None)
        drafts = list(form.cleaned_data["drafts"]) if is_asked and form.is_valid() else []
        if request.method == "POST" and drafts:
            count = apply_drafts(drafts, actor=request.user)  # type: ignore[arg-type]
            text = ngettext("%(count)d rule is in force now.", "%(count)d rules are in force now.", count)
            messages.success(request, text % {"count": count})
            return redirect(reverse("admin:gateways_routerule_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Dry run of routing rules"),
            "opts": self.model._meta,
            "form": form,
            "has_drafts": RouteRule.objects.filter(state=RouteRule.State.DRAFT).exists(),
            "drafts": drafts,
            "found": try_rules(drafts) if drafts else None,
        }
        return TemplateResponse(request, "admin/route_dry_run.html", context)
