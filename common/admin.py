"""Admin pages that show and never change: what services own is changed through services only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):
    show_full_result_count = False  # counting a million rows to show fifty is not worth it
    list_per_page = 50

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["plain_id" if column == "id" else column for column in super().get_list_display(request)]

    @admin.display(description="ID", ordering="pk")
    def plain_id(self, row: Any) -> str:
        """The id as logs and commands write it, without separators of thousands."""
        return str(row.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
