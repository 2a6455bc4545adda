"""The lines of the list of renewals, written in Python as other long tables are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from html import escape
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.choices import LEADER_ROLES
from accounts.models import Account
from accounts.policy import may
from health.choices import RenewalCall, RenewalSide, RenewalSignal, RenewalState
from health.models import RenewalReview
from ui import formats
from ui.atoms import badge, html, icon

TONES = {
    RenewalState.DISAGREED: "risk", RenewalState.NO_CALL: "watch", RenewalState.ONE_SIDED: "neutral",
    RenewalState.AGREED: "good", RenewalState.DECIDED: "info",
    RenewalSignal.RENEW: "good", RenewalSignal.AT_RISK: "risk", RenewalSignal.UNKNOWN: "neutral",
    RenewalCall.WILL_RENEW: "good", RenewalCall.MONITOR: "watch", RenewalCall.WILL_CHURN: "risk",
}  # fmt: skip


def renewal_rows(user: Any, reviews: Iterable[RenewalReview], today: date) -> SafeString:
    """A ``tr`` each, named ``r-<key>``: the system's signal once there is a call or none is waited for any more, and
    what ``user`` may do. One query, for a leader none; one more where somebody may be away.
    """
    listed = list(reviews)
    lines = _Lines(today, _editable(user, {review.account_id for review in listed}), may(user, "renewals.decide"))
    return html("".join(lines.line(review) for review in listed))


def _editable(user: Any, accounts: set[UUID]) -> set[UUID]:
    if not may(user, "accounts.edit"):
        return set()
    if user.role in LEADER_ROLES:
        return accounts
    return set(Account.objects.editable_by(user).filter(pk__in=accounts).values_list("pk", flat=True))


class _Lines:
    """Lines of one answer; addresses are looked up once."""

    def __init__(self, today: date, editable: set[UUID], decides: bool) -> None:
        self.today, self.editable, self.decides = today, editable, decides
        self.now = timezone.localtime()
        self.account, self.call, self.decision = map(
            _address, ("accounts:account-contracts", "health:renewal-call", "health:renewal-decision")
        )

    def line(self, review: RenewalReview) -> str:
        account, contract = review.account, review.contract
        number = f'<span class="hide-m">, {escape(contract.number)}</span>' if contract.number else ""
        return (
            f'<tr id="r-{review.pk}"><th scope="row"><span class="cell-name"><span>'
            f'<a href="{self.account % review.account_id}">{escape(account.name)}</a>'
            f'<span class="sub">{escape(str(account.owner or "Nobody"))}{number}</span></span></span></th>'
            f"<td>{self._day(review.ends_on)}{self._left(review)}</td>"
            f'<td class="n num">{formats.money(contract.arr, contract.currency)}</td>'
            f'<td class="c-p2" data-wrap>{self._system(review)}</td>'
            f'<td class="c-p1" data-wrap>{self._called(review)}</td>'
            f"<td data-wrap>{self._state(review)}\n{self._buttons(review)}</td></tr>"
        )

    def _day(self, day: date) -> str:
        return f'<time datetime="{day.isoformat()}">{formats.day(day, today=self.today)}</time>'

    def _left(self, review: RenewalReview) -> str:
        days = (review.ends_on - self.today).days
        words = f"in {days} day{'' if days == 1 else 's'}" if days else "today"
        alone = '<span class="hide-m">, by itself</span>' if review.contract.auto_renew else ""
        return f'<span class="sub">{words}{alone}</span>'

    def _system(self, review: RenewalReview) -> str:
        if not review.is_open_to_all(self.today):
            return '<span class="dim">Shown after the call</span>'
        reasons = escape(" ".join(review.reasons))
        return f'{_mark(RenewalSignal(review.signal))}<span class="sub">{reasons}</span>'

    def _called(self, review: RenewalReview) -> str:
        if not review.call or review.called_at is None:
            word = "Overdue since" if self.today > review.call_due_on else "Due"
            return f'<span class="dim">{word} {self._day(review.call_due_on)}</span>'
        who = escape(str(review.called_by or "Somebody who left"))
        return (
            f'{_mark(RenewalCall(review.call))}<span class="sub">{escape(review.call_reason)} '
            f'<span class="faint">{who}, {self._ago(review.called_at)}</span></span>'
        )

    def _ago(self, moment: datetime) -> str:
        local = timezone.localtime(moment)
        exact, words = formats.moment(local), formats.ago(local, self.now)
        return f'<time datetime="{local.isoformat()}" title="{exact}">{words}</time>'

    def _state(self, review: RenewalReview) -> str:
        state = RenewalState(review.state)
        decided = ""
        if review.side:
            side = escape(str(RenewalSide(review.side).label))
            decided = f'<span class="sub hide-m">{side} counts: {escape(review.side_reason)}</span>'
        return f"{badge(state.label, TONES[state])}{decided}"

    def _buttons(self, review: RenewalReview) -> str:
        about = f'<span class="vh"> on {escape(review.account.name)}</span>'
        drawn = ""
        if self.decides and review.state == RenewalState.DISAGREED:
            url = self.decision % review.pk
            drawn = f'<a class="btn" data-size="sm" href="{url}">{icon("scale")} Decide{about}</a>\n'
        if review.account_id in self.editable and review.state != RenewalState.DECIDED:
            url = self.call % review.pk
            quiet, words = (' data-variant="ghost"', "Change the call") if review.call else ("", "Make the call")
            drawn += (
                f'<a class="btn" data-size="sm"{quiet} id="c-{review.pk}" href="{url}" hx-get="{url}" '
                f'hx-target="#r-{review.pk}" hx-swap="outerHTML">{words}{about}</a>'
            )
        return drawn


def _mark(said: RenewalSignal | RenewalCall) -> SafeString:
    tone = TONES.get(said, "risk")
    return badge(said.label, tone, tone)


def _address(name: str) -> str:
    """The address of a route with ``%s`` for its key."""
    key = str(UUID(int=0))
    return reverse(name, args=[key]).replace(key, "%s")
