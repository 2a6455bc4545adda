"""Every address of a tenant's host."""

from importlib.util import find_spec

from django.urls import include, path

from accounts.urls import urlpatterns as accounts_urls
from health.urls_accounts import urlpatterns as book_urls

DOMAINS = [
    ("", "playbooks.urls"),
    ("auth/", "accounts.urls_auth"),
    ("people/", "accounts.urls_people"),
    ("health/", "health.urls"),
    ("usage/", "usage.urls"),
    ("notifications/", "engagement.urls"),
    ("methodology/", "packs.urls"),
    ("imports/", "imports.urls"),
    ("portal/", "portal.urls"),
    ("api/", "api.urls"),
]
urlpatterns = [
    # One namespace for an account's pages, whichever domain serves them.
    path("", include(([*accounts_urls, *book_urls], "accounts"))),
    *(path(prefix, include(module)) for prefix, module in DOMAINS if find_spec(module)),
]
handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
