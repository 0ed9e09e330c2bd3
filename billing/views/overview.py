from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actor import Actor, panel_view
from billing.forms import MovementFilterForm
from billing.models import LedgerTransaction
from billing.run_names import find_run_names
from billing.selectors import get_balance, list_ledger
from billing.selectors.running import list_balances_after
from common.keyset import paginate


@panel_view("billing.view")
@require_GET
def show_overview(request: HttpRequest) -> HttpResponse:
    """Balance, credits on hold, and the movements that led there."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    balance = get_balance(actor.tenant.pk)
    form = MovementFilterForm(request.GET)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    movements = list_ledger(actor.tenant.pk)
    # Usage takes from what was held, many times a minute; the balance does not move by it. It is shown on request.
    chosen = movements.filter(kind=kind) if kind else movements.exclude(kind=LedgerTransaction.Kind.CAPTURE)
    page = paginate(chosen, request.GET, order="-created_at")
    # Between filtered rows other movements lie: a balance beside them would seem not to add up.
    after = [] if kind else list_balances_after(actor.tenant.pk, page.items, available_now=balance.available)
    names = find_run_names(actor.tenant.pk, {movement.run_id for movement in page.items if movement.run_id})
    rows = [
        {
            "movement": movement,
            "balance": after[i] if after else None,
            "run_name": names.get(movement.run_id or 0),
        }
        for i, movement in enumerate(page.items)
    ]
    context = {"balance": balance, "page": page, "rows": rows, "form": form, "kind": kind}
    return render(request, "billing/overview.html", context)
