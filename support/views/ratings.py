"""The page behind the link in the mail: shown to whoever holds it, recorded only when it is sent."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.policy import requires
from support import actions
from support.forms.ratings import RatingForm
from support.queries.ratings import asked_with


@requires(GET="anonymous", POST="anonymous")
def rate(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for one to five. SECURITY: reading records nothing, for mail scanners open every link; nor does the page
    tell what the ticket is about, for mails are passed on.
    """
    asked = asked_with(token)
    if asked is None:
        raise Http404
    state = asked.state
    form = RatingForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and state == "open" and form.is_valid():
        data = form.cleaned_data
        answer = {"comment": data["comment"], "at": timezone.now()}
        if form.run(lambda: actions.rate_once(asked, int(data["score"]), **answer)):
            return redirect("support:rate", token)
    status = {"rated": 409, "gone": 410}.get(state, 422) if request.method == "POST" else 200
    context = {"number": asked.ticket.number, "state": state, "form": form}
    response = render(request, "support/rate.html", context, status=status)
    # The address is the key: it goes to no other site, and no search engine keeps it. With "no-referrer" a browser
    # would send the form without its origin, and it would be refused.
    response["Referrer-Policy"], response["X-Robots-Tag"] = "same-origin", "noindex"
    return response
