from django.urls import path

from .views import fields, groups, imports, people

app_name = "contacts"
urlpatterns = [
    path("", people.list_page, name="list"),
    path("new/", people.new, name="new"),
    path("bulk/", people.bulk, name="bulk"),
    path("export.<slug:kind>", people.export, name="export"),
    path("<uuid:public_id>/", people.edit, name="edit"),
    path("<uuid:public_id>/delete/", people.delete, name="delete"),
    path("lists/", groups.list_page, name="group_list"),
    path("lists/add/", groups.add, name="group_add"),
    path("lists/<uuid:public_id>/rename/", groups.rename, name="group_rename"),
    path("lists/<uuid:public_id>/delete/", groups.delete, name="group_delete"),
    path("lists/<uuid:public_id>/remove/", groups.remove, name="group_remove"),
    path("fields/", fields.list_page, name="field_list"),
    path("fields/add/", fields.add, name="field_add"),
    path("fields/<int:field_id>/rename/", fields.rename, name="field_rename"),
    path("fields/<int:field_id>/delete/", fields.delete, name="field_delete"),
    path("imports/", imports.list_page, name="import_list"),
    path("imports/new/", imports.upload, name="import_upload"),
    path("imports/<uuid:public_id>/", imports.detail, name="import_detail"),
    path("imports/<uuid:public_id>/settings/", imports.change_settings, name="import_settings"),
    path("imports/<uuid:public_id>/preview/", imports.preview, name="import_preview"),
    path("imports/<uuid:public_id>/start/", imports.start, name="import_start"),
    path("imports/<uuid:public_id>/progress/", imports.progress, name="import_progress"),
    path("imports/<uuid:public_id>/cancel/", imports.cancel, name="import_cancel"),
    path("imports/<uuid:public_id>/rejects.<slug:kind>", imports.rejects, name="import_rejects"),
]
