"""Empty views to measure pages against. ``BENCHMARK_EMPTY`` chooses what stands before the view:

* ``stack``: everything the product puts before a page: the workspace's lookup, session, user, policy headers;
* ``bare``: five middlewares and no database, as in the study that the goals come from (performance §4).
"""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config import garbage


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("", nothing), path("healthz", nothing)]
before = os.environ.get("BENCHMARK_EMPTY")

if before == "bare":
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="an empty view needs no secret of its own, only a long one",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
    )
    application = get_wsgi_application()
elif before == "stack":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    settings.ROOT_URLCONF = __name__
    application = get_wsgi_application()
    garbage.settle()
