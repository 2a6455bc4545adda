"""Addresses of users, roles, invitations, API tokens and one's own profile."""

from django.urls import path

from accounts.views import invitations, people, profile, stand_ins, tokens

app_name = "people"
urlpatterns = [
    path("", people.users, name="user-list"),
    path("users.csv", people.users_csv, name="users-export"),
    path("roles/", people.roles, name="roles"),
    path("invite/", invitations.invite, name="user-invite"),
    path("invitations/<uuid:invitation_id>/resend/", invitations.resend, name="invitation-resend"),
    path("invitations/<uuid:invitation_id>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("invitation/<str:secret>/", invitations.accept, name="invitation-accept"),
    path("tokens/", tokens.tokens, name="token-list"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke, name="token-revoke"),
    path("profile/", profile.profile, name="profile"),
    path("stand-ins/", stand_ins.stand_ins, name="stand-ins"),
    path("stand-ins/<uuid:period_id>/end/", stand_ins.stand_in_end, name="stand-in-end"),
    path("<uuid:user_id>/", people.user, name="user-detail"),
    path("<uuid:user_id>/role/", people.role, name="user-role"),
    path("<uuid:user_id>/deactivate/", people.deactivate, name="user-deactivate"),
    path("<uuid:user_id>/reactivate/", people.reactivate, name="user-reactivate"),
]
