"""Every page in light and dark, wide and on a phone: accessible, within the policy, without sideways scroll."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from health.book.accounts.asked import COLUMNS
from tests.e2e.conftest import PRINTED

pytestmark = pytest.mark.e2e

ACCOUNT = "/accounts/{Dovetail Couriers}"
OWN_FIELDS = (
    "/accounts/?cols=owner,custom.hub,custom.bays,custom.plan,custom.audited,custom.audit_on"
    "&sort=-custom.bays&custom.hub=Riga,~none&custom_max.bays=2000&custom.bays=~bad"
)
PAGES = {
    "my day": ("csm", "/day/"),
    "my day of somebody without accounts": ("owner", "/day/"),
    "calendar feed": ("csm", "/day/calendar/"),
    "stand-ins": ("csm", "/people/stand-ins/"),
    "my day by account": ("csm", "/day/?by=account"),
    "my day, a verb": ("csm", "/day/ctas/{cta}/snooze/"),
    "my day, a touch": ("csm", "/day/accounts/{Dovetail Couriers}/log/"),
    "portfolio": ("vp", "/portfolio/"),
    "portfolio of nobody": ("vp", "/portfolio/?segment=none-such"),
    "portfolio of a past day": ("vp", "/portfolio/?on=2026-01-01"),
    "portfolio figure": ("vp", "/portfolio/figures/arr/"),
    "portfolio retention": ("vp", "/portfolio/figures/nrr/"),
    "portfolio compared": ("vp", "/portfolio/compare/?period=90"),
    "portfolio reconciled": ("vp", "/portfolio/reconciliation/?period=90"),
    "portfolio targets": ("vp", "/portfolio/targets/"),
    "portfolio team": ("vp", "/portfolio/team/"),
    "digest": ("csm", "/portfolio/digest/"),
    "digest of a leader": ("vp", "/portfolio/digest/"),
    "board packs": ("vp", "/portfolio/board-packs/"),
    "portfolio that no view keeps": ("vp", "/portfolio/?period=90"),
    "scheduled packs": ("vp", "/portfolio/board-packs/schedules/"),
    "pack to be scheduled": ("vp", "/portfolio/board-packs/schedules/new/"),
    "accounts": ("vp", "/accounts/"),
    "accounts filtered": ("csm", "/accounts/?owner=me&band=risk&sort=-arr"),
    "accounts with every column": ("vp", "/accounts/?cols=" + ",".join(COLUMNS)),
    "accounts view changed": ("vp", "/accounts/?view={shared view}&band=red&sort=name"),
    "account cell": ("vp", ACCOUNT + "/cells/owner/"),
    "bulk edits": ("vp", "/accounts/edits/"),
    "segments": ("vp", "/accounts/segments/"),
    "segment": ("vp", "/accounts/segments/{segment}/"),
    "segment new": ("vp", "/accounts/segments/new/"),
    "segment edit": ("csm", "/accounts/segments/{segment}/edit/"),
    "accounts empty": ("vp", "/accounts/?q=nothing-like-it"),
    "account": ("vp", ACCOUNT + "/"),
    "account without score": ("vp", "/accounts/{Lumen Learning}/"),
    "account on a past day": ("vp", ACCOUNT + "/?as_of={past}&known=then"),
    "account health on a past day": ("vp", ACCOUNT + "/health/?as_of={past}&known=now"),
    "account people on a past day": ("vp", ACCOUNT + "/people/?as_of={past}&known=then"),
    "account since the last look": ("vp", ACCOUNT + "/since/"),
    "account files": ("vp", ACCOUNT + "/files/"),
    "account file": ("vp", "/accounts/files/{file}/"),
    "account files deleted": ("vp", ACCOUNT + "/files/?deleted=1"),
    "account health": ("vp", ACCOUNT + "/health/"),
    "account usage": ("vp", ACCOUNT + "/usage/"),
    "account timeline": ("vp", ACCOUNT + "/timeline/"),
    "account group": ("vp", ACCOUNT + "/group/"),
    "account entry": ("vp", "/accounts/timeline/{entry}/"),
    "account entry edit": ("vp", "/accounts/timeline/{entry}/edit/"),
    "account changes": ("vp", ACCOUNT + "/changes/?since=2026-01-01"),
    "account people": ("vp", ACCOUNT + "/people/"),
    "account contracts": ("vp", ACCOUNT + "/contracts/"),
    "account ctas": ("vp", ACCOUNT + "/ctas/"),
    "account edit": ("vp", ACCOUNT + "/edit/"),
    "account owner": ("vp", ACCOUNT + "/owner/"),
    "account new": ("vp", "/accounts/new/"),
    "contact new": ("vp", ACCOUNT + "/people/new/"),
    "scorecard simulator": ("vp", "/health/scorecards/fleet-health/simulator/"),
    "triggers": ("vp", "/health/triggers/"),
    "trigger": ("owner", "/health/triggers/red-account/"),
    "trigger simulator": ("vp", "/health/triggers/red-account/simulator/"),
    "trigger new": ("vp", "/health/automation/triggers/new/"),
    "trigger editor": ("vp", "/health/triggers/health-worsened/edit/"),
    "dry runs": ("vp", "/health/automation/dry-runs/"),
    "dry run": ("vp", "/health/automation/dry-runs/{dry run}/"),
    "run log": ("vp", "/health/automation/runs/"),
    "run": ("vp", "/health/automation/runs/{run}/"),
    "trigger limits": ("vp", "/health/automation/limits/"),
    "risk list": ("vp", "/health/risks/"),
    "receipt": ("vp", "/health" + ACCOUNT + "/receipt/"),
    "usage received": ("owner", "/usage/"),
    "metric": ("vp", "/usage" + ACCOUNT + "/metrics/login_pct/"),
    "imports": ("owner", "/imports/"),
    "import new": ("owner", "/imports/new/"),
    "api docs": ("owner", "/api/docs/"),
    "account targets": ("vp", "/health" + ACCOUNT + "/targets/"),
    "success metrics": ("vp", "/health/metrics/"),
    "account stage": ("vp", ACCOUNT + "/stage/"),
    "team": ("vp", ACCOUNT + "/team/new/"),
    "contract new": ("vp", ACCOUNT + "/contracts/new/"),
    "log": ("vp", ACCOUNT + "/timeline/log/"),
    "search": ("vp", "/search/?q=hal"),
    "audit": ("owner", "/audit/?period=30&account=dovetail"),
    "audit entry": ("owner", "/audit/1/"),
    "ctas": ("vp", "/ctas/"),
    "ctas closed": ("vp", "/ctas/?status=closed"),
    "what came of ctas": ("csm", "/health/outcomes/"),
    "board": ("vp", "/ctas/board/"),
    "board of statuses": ("reader", "/ctas/board/?by=status"),
    "calendar": ("vp", "/ctas/calendar/"),
    "playbook new": ("owner", "/playbooks/new/"),
    "calendar of a week": ("csm", "/ctas/calendar/?span=week"),
    "ctas put off": ("vp", "/ctas/?status=snoozed"),
    "cta": ("vp", "/ctas/{cta}/"),
    "cta put off": ("vp", "/ctas/{snoozed cta}/"),
    "cta edit": ("vp", "/ctas/{cta}/edit/"),
    "cta new": ("csm", "/ctas/new/"),
    "playbooks": ("vp", "/playbooks/"),
    "playbook": ("owner", "/playbooks/{playbook}/"),
    "inbox": ("vp", "/notifications/"),
    "notification settings": ("vp", "/notifications/preferences/"),
    "outbox": ("owner", "/notifications/outbox/"),
    "tickets": ("vp", "/tickets/"),
    "tickets nobody has": ("csm", "/tickets/?view=unassigned&severity=S1&q=nothing"),
    "ticket": ("vp", "/tickets/{ticket}/"),
    "ticket read only": ("reader", "/tickets/{ticket}/"),
    "ticket deadlines": ("vp", "/tickets/{ticket}/explain/"),
    "ticket edit": ("vp", "/tickets/{ticket}/edit/"),
    "answers kept ready": ("vp", "/tickets/answers/"),
    "answer new": ("vp", "/tickets/answers/new/"),
    "ticket new": ("vp", "/tickets/new/"),
    "ticket escalate": ("vp", "/tickets/{ticket}/escalate/"),
    "escalations": ("vp", "/escalations/"),
    "escalations ended": ("csm", "/escalations/?view=ended"),
    "escalation": ("vp", "/escalations/{escalation}/"),
    "incidents": ("vp", "/incidents/"),
    "incidents filtered": ("csm", "/incidents/?view=all&q=sign"),
    "incidents empty": ("vp", "/incidents/?q=nothing-like-it"),
    "incident": ("vp", "/incidents/{incident}/"),
    "incident read only": ("reader", "/incidents/{incident}/"),
    "incident resolved": ("vp", "/incidents/{reviewed incident}/"),
    "incident new": ("vp", "/incidents/new/"),
    "incident edit": ("vp", "/incidents/{incident}/edit/"),
    "incident accounts": ("vp", "/incidents/{incident}/accounts/"),
    "incident letter": ("vp", "/incidents/{incident}/letters/status-update/"),
    "incident review": ("vp", "/incidents/{reviewed incident}/review/"),
    "incident review written": ("vp", "/incidents/{reviewed incident}/review/?write=1"),
    "incident settings": ("owner", "/incidents/settings/"),
    "account tickets": ("vp", ACCOUNT + "/tickets/"),
    "service review": ("vp", ACCOUNT + "/service-review/"),
    "mail room": ("vp", "/support/mail/"),
    "mail in quarantine": ("vp", "/support/mail/{held mail}/"),
    "mail settings": ("owner", "/support/mail/settings/"),
    "rating": ("", "/support/rate/{rating link}/"),
    "service levels": ("vp", "/support/service-levels/"),
    "try a service level": ("vp", "/support/service-levels/try/"),
    "try clocks": ("vp", "/support/service-levels/clocks/"),
    "try an escalation": ("vp", "/support/escalations/decide/"),
    "service level new": ("vp", "/support/service-levels/new/"),
    "service levels by tier": ("vp", "/support/service-levels/matrix/"),
    "recounts": ("vp", "/support/service-levels/recounts/"),
    "clocks": ("vp", "/support/service-levels/settings/"),
    "calendars": ("owner", "/support/calendars/"),
    "calendar new": ("owner", "/support/calendars/new/"),
    "days off new": ("vp", "/support/calendars/days-off/new/"),
    "checklists": ("vp", "/escalations/checklists/"),
    "channels and guides": ("vp", "/support/channels/"),
    "ticket fields": ("vp", "/tickets/fields/"),
    "ticket field new": ("vp", "/tickets/fields/new/"),
    "bulk edits of tickets": ("vp", "/tickets/edits/"),
    "teams": ("vp", "/support/teams/"),
    "team new": ("owner", "/support/teams/new/"),
    "try routing": ("vp", "/support/teams/routing/"),
    "support reports": ("vp", "/support/reports/"),
    "support figures": ("vp", "/support/reports/figures/"),
    "support channels": ("vp", "/support/reports/channels/"),
    "support volume": ("vp", "/support/reports/volume/"),
    "support volume of an account": ("vp", "/support/reports/volume/?account={Dovetail Couriers}"),
    "escalation report": ("vp", "/support/reports/escalations/"),
    "behind a number": ("vp", "/support/reports/rows/?what=opened"),
    "methodology": ("vp", "/methodology/"),
    "methodology scorecards": ("owner", "/methodology/fleet/scorecards/"),
    "methodology training": ("owner", "/methodology/fleet/training/"),
    "methodology meetings": ("vp", "/methodology/fleet/meetings/"),
    "methodology tiers": ("owner", "/methodology/fleet/tiers/"),
    "methodology silent": ("vp", "/methodology/fleet/playbooks/"),
    "methodology item": ("owner", "/methodology/items/{tier}/"),
    "methodology install": ("owner", "/methodology/install/mna/"),
    "calendar simulator": ("vp", "/methodology/calendars/"),
    "scorecards": ("vp", "/health/scorecards/"),
    "scorecard": ("vp", "/health/scorecards/fleet-health/"),
    "scorecard editor": ("vp", "/health/scorecards/fleet-health/edit/"),
    "scorecard preview": ("vp", "/health/scorecards/fleet-health/preview/"),
    "scorecard versions": ("vp", "/health/scorecards/fleet-health/compare/"),
    "renewals": ("vp", "/health/renewals/"),
    "renewals of a CSM": ("csm", "/health/renewals/?state=no_call"),
    "renewals that none match": ("vp", "/health/renewals/?owner=none"),
    "renewal call": ("csm", "/health/renewals/{waiting renewal}/call/"),
    "renewal decision": ("vp", "/health/renewals/{renewal}/decision/"),
    "renewal checkpoints": ("vp", "/health/renewals/checkpoints/"),
    "renewals of an account": ("vp", "/health/accounts/{Beacon Logistics}/renewals/"),
    "reviews": ("vp", "/health/reviews/"),
    "review": ("vp", "/health/reviews/{review}/?owner="),
    "review of a CSM": ("csm", "/health/reviews/{review}/"),
    "scorecard coverage": ("vp", "/health/scorecards/fleet-health/coverage/"),
    "scorecard use": ("vp", "/health/scorecards/fleet-health/use/"),
    "scorecard new": ("vp", "/health/scorecards/new/"),
    "backtests": ("vp", "/health/backtests/"),
    "backtest": ("vp", "/health/backtests/{backtest}/"),
    "five methodologies": ("vp", "/methodology/accounts/{Dovetail Couriers}/"),
    "people": ("owner", "/people/"),
    "roles": ("owner", "/people/roles/"),
    "invite": ("owner", "/people/invite/"),
    "tokens": ("owner", "/people/tokens/"),
    "settings": ("owner", "/settings/"),
    "account fields": ("owner", "/settings/account-fields/"),
    "account field new": ("owner", "/settings/account-fields/new/"),
    "accounts by own fields": ("vp", OWN_FIELDS),
    "webhooks": ("owner", "/settings/webhooks/"),
    "webhook": ("owner", "/settings/webhooks/{webhook}/"),
    "webhook new": ("owner", "/settings/webhooks/new/"),
    "webhook delivery": ("owner", "/settings/webhooks/{webhook}/deliveries/{delivery}/"),
    "quotas": ("owner", "/settings/quotas/"),
    "profile": ("vp", "/people/profile/"),
    "security": ("vp", "/auth/2fa/"),
    "sessions": ("vp", "/auth/sessions/"),
    "portal": ("portal", "/portal/"),
    "portal files": ("portal", "/portal/files/"),
    "profile of a customer": ("portal", "/people/profile/"),
    "security of a customer": ("portal", "/auth/2fa/"),
    "sessions of a customer": ("portal", "/auth/sessions/"),
    "inbox of a customer": ("portal", "/notifications/"),
    "notification settings of a customer": ("portal", "/notifications/preferences/"),
    "portal requests": ("portal", "/portal/tickets/"),
    "portal request new": ("portal", "/portal/tickets/new/"),
    "knowledge": ("vp", "/kb/?q=route"),
    "article": ("vp", "/kb/articles/plan-a-route/"),
    "article edit": ("vp", "/kb/articles/plan-a-route/edit/"),
    "article history": ("vp", "/kb/articles/plan-a-route/history/"),
    "article new": ("csm", "/kb/new/"),
    "knowledge categories": ("vp", "/kb/categories/"),
    "knowledge insights": ("vp", "/kb/insights/"),
    "help": ("portal", "/portal/help/"),
    "help found": ("portal", "/portal/help/?q=route"),
    "help article": ("portal", "/portal/help/plan-a-route/?q=route"),
    "sign in": ("", "/auth/login/"),
    "reset": ("", "/auth/password/reset/"),
}
# Everything a cold browser fetches for a page.
MOST_BYTES = 150_000
LOOKS = {
    "wide": (1440, "light"),
    "wide dark": (1440, "dark"),
    "phone dark": (390, "dark"),
    "phone": (390, "light"),
}
# What a change of colours or of width alone can break; the other rules have been tried on the same elements.
AGAIN = {"wide dark": ["color-contrast"], "phone": ["color-contrast", "target-size"]}
# On the phone everything that folds is open, but what would lie on top of the rest.
UNFOLD = "document.querySelectorAll('main details:not([data-pop])').forEach(each => { each.open = true; })"


def path_of(pattern, world):
    for name, key in (world.accounts | world.others).items():
        pattern = pattern.replace("{" + name + "}", str(key))
    return pattern.replace("{past}", str(timezone.localdate() - timedelta(days=20)))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_stays_in_its_window(visit, world, name):
    who, pattern = PAGES[name]
    seen = visit(who, path_of(pattern, world))
    assert seen.response.status == 200
    assert seen.weight() < MOST_BYTES
    found = {}
    for look, (width, scheme) in LOOKS.items():
        seen.look(width, scheme)
        if look.startswith("phone"):
            seen.page.evaluate(UNFOLD)
        found[look] = seen.axe(AGAIN.get(look)) + seen.overflow()
    assert (found, seen.problems) == ({look: [] for look in LOOKS}, [])


@pytest.mark.parametrize(
    "name",
    [
        "my day",
        "board",
        "portfolio",
        "portfolio compared",
        "portfolio reconciled",
        "portfolio team",
        "accounts",
        "account",
        "account health",
        "account usage",
        "contract new",
        "audit",
        "profile of a customer",
        "notification settings of a customer",
    ],
)
def test_a_page_reflows_at_320_pixels_in_its_own_and_in_a_wider_font(visit, world, name):
    who, pattern = PAGES[name]
    seen = visit(who, path_of(pattern, world), width=320, height=640)
    own = seen.overflow()
    seen.page.route("**/*.woff2", lambda route: route.abort())
    seen.page.reload(wait_until="networkidle")
    assert (own, seen.overflow()) == ([], [])


# As a portfolio of many years has them.
WIDER = """() => document.querySelectorAll('main details.data').forEach(data => {
  data.open = true;
  for (const row of data.querySelectorAll('tr')) for (let n = 0; n < 12; n++) row.append(row.lastChild.cloneNode(true));
})"""


@pytest.mark.parametrize("name", ["portfolio", "account usage"])
def test_the_table_of_a_chart_scrolls_by_itself_on_a_phone(visit, world, name):
    who, pattern = PAGES[name]
    seen = visit(who, path_of(pattern, world), width=390, height=844)
    seen.page.evaluate(WIDER)
    assert seen.page.locator("main details.data td:visible").count()
    assert (seen.overflow(), seen.axe()) == ([], [])


@pytest.mark.parametrize(("path", "status"), [("/nope/", 404), ("/audit/", 403)])
def test_an_error_page_looks_like_the_rest_and_tells_its_number(visit, path, status):
    seen = visit("vp", path)
    assert seen.response.status == status
    assert (seen.axe(), seen.overflow()) == ([], [])
    assert seen.response.headers["x-request-id"] in seen.page.inner_text("main")


@pytest.mark.parametrize("name", ["my day", "portfolio", "accounts", "account"])
def test_a_page_stays_in_its_budget_and_asks_no_other_host(visit, world, name):
    who, pattern = PAGES[name]
    asked = []
    seen = visit(who, "/people/profile/")
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.goto(seen.page.url.split("/people/")[0] + path_of(pattern, world))
    seen.page.wait_for_load_state("networkidle")
    assert {url.split("/")[2] for url in asked} == {seen.page.url.split("/")[2]}
    assert len(asked) <= 9
    assert seen.page.evaluate("document.querySelectorAll('*').length") <= 2500


@pytest.mark.parametrize(
    "name",
    [
        "portfolio",
        "portfolio figure",
        "portfolio compared",
        "portfolio reconciled",
        "portfolio team",
        "board packs",
        "account",
        "account health",
        "receipt",
    ],
)
def test_on_paper_a_page_is_black_on_white_and_has_nothing_to_press(visit, world, name):
    who, pattern = PAGES[name]
    assert visit(who, path_of(pattern, world)).printed() == PRINTED
