from django.contrib import admin

from common.admin import ReadOnlyAdmin

from .models import Contact, ContactField, ContactGroup, ContactImport


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    list_display = ["msisdn", "name", "tenant", "created_at"]
    search_fields = ["=msisdn"]
    list_select_related = ["tenant"]
    ordering = ["-pk"]


@admin.register(ContactField)
class ContactFieldAdmin(ReadOnlyAdmin):
    list_display = ["label", "key", "kind", "tenant"]
    list_select_related = ["tenant"]


@admin.register(ContactGroup)
class ContactGroupAdmin(ReadOnlyAdmin):
    list_display = ["name", "contact_count", "tenant", "created_at"]
    search_fields = ["name", "tenant__name"]
    list_select_related = ["tenant"]


@admin.register(ContactImport)
class ContactImportAdmin(ReadOnlyAdmin):
    list_display = ["file_name", "tenant", "state", "row_count", "imported_count", "created_at"]
    list_filter = ["state"]
    list_select_related = ["tenant"]
    ordering = ["-pk"]
