from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.actor import panel_view
from common.htmx import render_page_or_part
from common.keyset import paginate

from ..selectors.inbox import add_names, list_inbound


@require_GET
@panel_view("inbox.view")
def inbox(request: HttpRequest) -> HttpResponse:
    """Incoming messages. `?q=` searches texts and numbers, `?kind=opt_out` shows withdrawals only."""
    tenant = request.actor.tenant  # type: ignore[attr-defined]
    query = request.GET.get("q", "")[:80].strip()
    only_opt_outs = request.GET.get("kind") == "opt_out"
    found = list_inbound(tenant.pk, query=query, only_opt_outs=only_opt_outs)
    page = paginate(found, request.GET, order="-received_at")
    context = {
        "page": page,
        "rows": add_names(tenant.pk, page.items),
        "query": query,
        "only_opt_outs": only_opt_outs,
        "is_filtered": bool(query or only_opt_outs),
    }
    return render_page_or_part(request, page="messaging/inbox.html", part="messaging/_inbox.html", context=context)
