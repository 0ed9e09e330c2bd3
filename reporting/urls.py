from django.urls import path

from .views import overview, recipients, report, way

app_name = "reporting"
urlpatterns = [
    path("", overview.dashboard, name="dashboard"),
    path("overview/running/", overview.running, name="running"),
    path("reports/", overview.report_list, name="report_list"),
    path("reports/<uuid:public_id>/", report.campaign_report, name="campaign_report"),
    path("reports/<uuid:public_id>/live/", report.campaign_live, name="campaign_live"),
    path("reports/<uuid:public_id>/export.<slug:kind>", recipients.export, name="export"),
    path("reports/<uuid:public_id>/recipients/", recipients.recipient_list, name="recipient_list"),
    path("reports/<uuid:public_id>/recipients/<int:message_id>/", recipients.recipient_detail, name="recipient"),
    path("reports/<uuid:public_id>/recipients/<int:message_id>/way/", way.recipient_way, name="recipient_way"),
]
