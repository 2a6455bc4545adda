"""Every address of a tenant's host."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("playbooks.urls")),
    path("auth/", include("accounts.urls_auth")),
    path("people/", include("accounts.urls_people")),
    path("health/", include("health.urls")),
    path("usage/", include("usage.urls")),
    path("notifications/", include("engagement.urls")),
    path("methodology/", include("packs.urls")),
    path("imports/", include("imports.urls")),
    path("portal/", include("portal.urls")),
    path("console/", include("tenants.urls_console")),
    path("api/", include("api.urls")),
]
handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
