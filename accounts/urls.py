from django.urls import path

from .views import audit, invitations, members, profile, session, settings

app_name = "accounts"
urlpatterns = [
    path("none/", session.no_tenant, name="no_tenant"),
    path("switch/<uuid:public_id>/", session.switch_tenant, name="switch"),
    path("preferences/", session.update_preferences, name="preferences"),
    path("profile/", profile.edit_profile, name="profile"),
    path("settings/", settings.edit_settings, name="settings"),
    path("members/", members.list_members, name="member_list"),
    path("members/add/", members.add_member_view, name="member_add"),
    path("members/<uuid:public_id>/role/", members.change_role_view, name="member_role"),
    path("members/<uuid:public_id>/remove/", members.remove_member_view, name="member_remove"),
    path("members/<uuid:public_id>/invite/", members.invite_again, name="member_invite"),
    path("invitations/", invitations.list_page, name="invitation_list"),
    path("invitations/<uuid:public_id>/accept/", invitations.accept, name="invitation_accept"),
    path("invitations/<uuid:public_id>/decline/", invitations.decline, name="invitation_decline"),
    path("audit/", audit.list_entries, name="audit"),
]
