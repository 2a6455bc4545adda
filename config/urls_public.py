"""Every address of the public host: what Tenure is, and the sign-up."""

from django.urls import include, path

urlpatterns = [path("", include("signup.urls"))]
handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
