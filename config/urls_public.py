"""Every address of the public host: what Tenure is, and the sign-up."""

from typing import Any

urlpatterns: list[Any] = []
handler400 = "ui.views.bad_request"
handler403 = "ui.views.forbidden"
handler404 = "ui.views.not_found"
handler500 = "ui.views.server_error"
