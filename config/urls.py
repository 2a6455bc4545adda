"""Every address of a tenant's host."""

from django.urls import include, path

from accounts.urls import urlpatterns as accounts_urls
from health.urls_accounts import urlpatterns as book_urls

urlpatterns = [
    # One namespace for an account's pages, whichever domain serves them.
    path("", include(([*accounts_urls, *book_urls], "accounts"))),
    path("", include("playbooks.urls")),
    path("", include("support.urls")),
    path("day/", include("myday.urls")),
    path("auth/", include("accounts.urls_auth")),
    path("people/", include("accounts.urls_people")),
    path("health/", include("health.urls")),
    path("usage/", include("usage.urls")),
    path("notifications/", include("engagement.urls")),
    path("methodology/", include("packs.urls")),
    path("imports/", include("imports.urls")),
    path("kb/", include("knowledge.urls")),
    path("settings/webhooks/", include("webhooks.urls")),
    path("portal/", include("portal.urls")),
    path("api/", include("api.urls")),
]
handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
