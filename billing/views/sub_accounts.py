"""Accounts below an agency. They live here and not in `accounts`, because the list shows credits."""

import uuid
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import access_sub_account
from accounts.actor import Actor, panel_view
from accounts.forms import SubAccountForm
from accounts.recent import recent_sign_in_required
from accounts.selectors import list_sub_accounts
from accounts.services import create_sub_account
from billing.forms import TransferForm
from billing.selectors import get_balance
from billing.selectors.sub_accounts import add_balances
from billing.services import NotEnoughCredits, ReferenceReused, open_credit_account, transfer_credits
from common.keyset import paginate
from common.numbers import format_credits


@panel_view("subaccounts.manage")
@require_GET
def list_rows(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    page = paginate(list_sub_accounts(actor.tenant), request.GET, order="name_key")
    context = {"page": page, "rows": add_balances(page.items), "may_transfer": actor.may("credits.transfer")}
    return render(request, "billing/sub_accounts.html", context)


@panel_view("subaccounts.manage")
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = SubAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tenant = create_sub_account(agency=actor.tenant, name=form.cleaned_data["name"], actor=actor.user)
        open_credit_account(tenant)
        messages.success(request, gettext("%(name)s is open. Switch into it to set it up.") % {"name": tenant.name})
        return redirect("billing:sub_accounts")
    return render(request, "billing/sub_account_new.html", {"form": form})


@panel_view("credits.transfer")
@recent_sign_in_required
@never_cache  # "Back" brings a new page, with a key that was not used yet
@require_http_methods(["GET", "POST"])
def transfer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Pass credits to an account below. Asks for the password again if it was given long ago."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    target = access_sub_account(actor, public_id)
    form = TransferForm(request.POST if request.method == "POST" else None, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        amount = form.cleaned_data["amount"]
        try:
            is_new = transfer_credits(
                from_tenant=actor.tenant,
                to_tenant=target,
                amount=amount,
                reference=f"transfer:{form.cleaned_data['key']}",
                actor=actor.user,
            )
        except NotEnoughCredits as error:
            text = gettext("Not enough credits: %(available)s available.")
            form.add_error("amount", text % {"available": format_credits(error.available)})
        except ReferenceReused:
            form.renew_key()
            text = gettext("Credits were transferred with this page before. Send it again if you mean it.")
            form.add_error("amount", text)
        else:
            text = gettext("%(amount)s credits are transferred to %(name)s.")
            if not is_new:
                text = gettext("This transfer of %(amount)s credits was made before; nothing more was transferred.")
            level = messages.SUCCESS if is_new else messages.INFO
            messages.add_message(request, level, text % {"amount": format_credits(amount), "name": target.name})
            return redirect("billing:sub_accounts")
    context = {"form": form, "target": target, "balance": get_balance(actor.tenant.pk)}
    return render(request, "billing/transfer.html", context)
