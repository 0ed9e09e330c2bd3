from django.urls import URLPattern, URLResolver, path

from .views import audience, composer, control, listing, templates

app_name = "campaigns"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", listing.list_page, name="list"),
    path("new/", listing.create, name="create"),
    path("templates/", templates.list_page, name="template_list"),
    path("templates/new/", templates.create, name="template_create"),
    path("templates/counter/", templates.counter, name="template_counter"),
    path("templates/<uuid:public_id>/", templates.edit, name="template_edit"),
    path("templates/<uuid:public_id>/delete/", templates.delete, name="template_delete"),
    path("<uuid:public_id>/", listing.detail, name="detail"),
    path("<uuid:public_id>/recipients/", composer.recipients, name="recipients"),
    path("<uuid:public_id>/message/", composer.message, name="message"),
    path("<uuid:public_id>/schedule/", composer.schedule, name="schedule"),
    path("<uuid:public_id>/recipients/save/", composer.save_recipients, name="save_recipients"),
    path("<uuid:public_id>/message/save/", composer.save_message, name="save_message"),
    path("<uuid:public_id>/schedule/save/", composer.save_schedule, name="save_schedule"),
    path("<uuid:public_id>/message/preview/", composer.preview, name="preview"),
    path("<uuid:public_id>/message/templates/", templates.picker, name="template_picker"),
    path("<uuid:public_id>/message/template/", templates.keep_text, name="template_keep"),
    path("<uuid:public_id>/test/", composer.test_send, name="test_send"),
    path("<uuid:public_id>/check/", audience.check, name="check"),
    path("<uuid:public_id>/prepare/", audience.prepare, name="prepare"),
    path("<uuid:public_id>/progress/", audience.progress, name="progress"),
    path("<uuid:public_id>/left-out/<str:kind>/", audience.export_exclusions, name="export_exclusions"),
    path("<uuid:public_id>/launch/", control.launch, name="launch"),
    path("<uuid:public_id>/unschedule/", control.unschedule, name="unschedule"),
    path("<uuid:public_id>/pause/", control.pause, name="pause"),
    path("<uuid:public_id>/resume/", control.resume, name="resume"),
    path("<uuid:public_id>/cancel/", control.cancel, name="cancel"),
    path("<uuid:public_id>/duplicate/", listing.duplicate, name="duplicate"),
    path("<uuid:public_id>/delete/", listing.delete, name="delete"),
]
