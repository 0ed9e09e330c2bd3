"""Credits for platform staff: balances and movements to look at, and one act: handing credits out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.recent import ask_again, signed_in_recently
from common.admin import ReadOnlyAdmin
from common.numbers import format_credits

from .forms import AmountField
from .models import CreditAccount, LedgerEntry, LedgerTransaction, Tariff
from .services import ReferenceReused, top_up_credits


class TopUpForm(forms.ModelForm):
    amount = AmountField(label=_("Credits"), max_digits=18, decimal_places=4, validators=[MinValueValidator(1)])

    class Meta:
        model = LedgerTransaction
        fields = ["tenant", "reference", "note"]
        help_texts = {"reference": _("Number of the invoice or order. The same one never loads credits twice.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "tenant" in self.fields:
            self.fields["tenant"].required = True

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        tenant, reference = values.get("tenant"), values.get("reference")
        if tenant and LedgerTransaction.objects.filter(tenant=tenant, reference=reference).exists():
            self.add_error("reference", _("Credits were loaded under this reference before."))
        return values


class EntryInline(admin.TabularInline):
    model = LedgerEntry
    fields = ["account", "available_delta", "reserved_delta"]
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(admin.ModelAdmin):
    """Adding one loads credits; nothing is ever changed (M5)."""

    form = TopUpForm
    list_display = ["created_at", "tenant", "kind", "moved_credits", "reference", "note"]
    list_filter = ["kind"]
    search_fields = ["tenant__name", "reference"]
    autocomplete_fields = ["tenant"]
    list_select_related = ["tenant"]
    date_hierarchy = "created_at"
    show_full_result_count = False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not signed_in_recently(request):
            return ask_again(request)
        return super().add_view(request, form_url, extra_context)  # type: ignore[no-any-return]

    def get_fields(self, request: HttpRequest, obj: LedgerTransaction | None = None) -> list[Any]:
        if obj is None:
            return ["tenant", "amount", "reference", "note"]
        return ["tenant", "kind", "reference", "run_id", "message_count", "note", "actor", "created_at"]

    def get_inlines(self, request: HttpRequest, obj: LedgerTransaction | None) -> list[Any]:
        return [EntryInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerTransaction]:
        rows: QuerySet[LedgerTransaction] = super().get_queryset(request)
        return rows.prefetch_related("entries")

    @admin.display(description=_("Credits"))
    def moved_credits(self, row: LedgerTransaction) -> str:
        """Of the account's own lines: what was loaded, held, used or given back."""
        own = [entry for entry in row.entries.all() if entry.tenant_id == row.tenant_id]
        available = sum(entry.available_delta for entry in own)
        return format_credits(available or sum(entry.reserved_delta for entry in own))

    def save_model(self, request: HttpRequest, obj: LedgerTransaction, form: forms.ModelForm, change: bool) -> None:
        values = form.cleaned_data
        try:
            top_up_credits(
                tenant=values["tenant"],
                amount=values["amount"],
                reference=values["reference"],
                note=values["note"],
                actor=request.user,  # type: ignore[arg-type]
            )
        except ReferenceReused:
            return  # somebody was faster with the same reference: nothing is loaded twice

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        return None

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None  # the service wrote the row and the audit entry; this object was never saved

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("The credits are loaded."))
        return HttpResponseRedirect(reverse("admin:billing_ledgertransaction_changelist"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CreditAccount)
class CreditAccountAdmin(ReadOnlyAdmin):
    list_display = ["tenant", "kind", "available", "reserved"]
    list_filter = ["kind"]
    search_fields = ["tenant__name"]
    list_select_related = ["tenant"]


@admin.register(Tariff)
class TariffAdmin(admin.ModelAdmin):
    list_display = ["prefix", "tenant", "credits_per_part"]
    search_fields = ["prefix", "tenant__name"]
    autocomplete_fields = ["tenant"]
    list_select_related = ["tenant"]
