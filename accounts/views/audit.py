from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from common.keyset import paginate

from ..actor import Actor, panel_view
from ..audit_labels import describe_data, label_of
from ..selectors import list_audit_entries


@panel_view("members.manage")
@require_GET
def list_entries(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    query = request.GET.get("q", "").strip()
    page = paginate(list_audit_entries(actor.tenant, query=query), request.GET, order="-at")
    rows = [{"entry": entry, "label": label_of(entry.action), "details": describe_data(entry.data)} for entry in page]
    return render(request, "accounts/audit.html", {"page": page, "rows": rows, "query": query})
