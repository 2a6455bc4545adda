"""The page ``docs/metrics.md``, printed from the catalogue: ``python -m usage.handbook > docs/metrics.md``."""

from __future__ import annotations

from usage.catalogue import DERIVED, DESK, STATED, STATED_FOR_DAYS, WINDOW

INTRODUCTION = f"""# Metrics

Scorecards and triggers read metrics by name. A metric is *stated* by an integration or a person, *computed* from
usage events and daily figures, or both.

* A window is the last {WINDOW} days of the workspace's time zone, today included; "14 full days" leaves today out.
* Where a stated and a computed value exist, the stated one counts while its day is at most {STATED_FOR_DAYS} days
  back. Then the computed one returns.
* Missing, zero and stale are three things. No event ever, or nothing to divide by: missing. Events once and none
  in the window: zero. A computed value is as old as the newest event of the whole workspace, so an account that
  falls silent shows a fresh zero, and a feed that broke makes every account stale.
* *Assigned users* is the stated metric `assigned_users`, else the account's assigned users, else its licensed
  seats, else everybody its events ever named. A share is at most 100.
* A value stated for a past day counts for that day, whenever it arrives. Scores as of a day see values up to it.

## Events

| field | rule |
|---|---|
| id | yours, up to 200 characters; with `at` and the batch's `source` it counts once |
| account | your name for the account (an external id, first of the same source, then of any), or our key |
| user | your name for the person, up to 200; without one an event gives volume and features, no users |
| event | up to 80 characters; the part before the first dot, in lower case with underscores, is the feature |
| at | RFC 3339 with an offset; from the start of the month 13 months back to one day ahead |
| quantity | 1 to 1,000,000, default 1 |
| properties | up to 4 KB; `platform` (`ios`, `android`, `mobile`) or `mobile`; a session's `minutes` or `seconds` |

Events are kept 13 months. Within that time the same id and `at` from the same source is one event, however often
and through however many calls it comes; older events are refused, so nothing is counted twice. The same id with
another `at` is another event. An import may bring older months; they are kept 13 months from the import.

A login is an event named `login`, `logged_in`, `log_in`, `sign_in`, `signed_in` or `user_login`; a session is
`session`, `session_end` or `session_ended`; workflows are `workflow.started` and `workflow.completed`. Everything
else is the use of a feature. Up to eight features are *key features*: given by the methodology, entered under
*Usage received, Key features*, or the first eight that are seen.

## Computed
"""


DESK_WORDS = f"""## From the support desk

Every ticket metric above, from the desk's own tickets, and four more. A day's figures are those of its end: how
bad a ticket was then, whether it was open, escalated, resolved. Cancelled tickets (spam, merged) count nowhere.

* The ticket metrics of an account are the desk's, unless this very metric or a daily figure it is made of was
  stated for the account within {STATED_FOR_DAYS} days: then the stated one counts.
* Once the desk is in use an account without a ticket has zero; one whose tickets were ever stated keeps what was
  stated, as old as it is, since it is looked after elsewhere.
* A new, changed, rated or resolved ticket and a warning about a promise score its account again within seconds, so
  a critical ticket opens the work its trigger asks for.
"""


def page() -> str:
    """The whole page as Markdown."""
    computed = [
        "| metric | unit | formula | from |",
        "|---|---|---|---|",
        *(f"| `{key}` | {one.unit} | {one.formula} | {one.origin} |" for key, one in DERIVED.items()),
    ]
    desk = [
        DESK_WORDS,
        "| metric | unit | formula | from |",
        "|---|---|---|---|",
        *(f"| `{key}` | {one.unit} | {one.formula} | {one.origin} |" for key, one in DESK.items()),
    ]
    stated = [
        "## Daily figures that computed metrics are made of",
        "",
        "Tickets of a desk elsewhere are stated by day, with `POST /api/v1/usage/metrics/` or as CSV.",
        "",
        "| metric | unit | a window takes | meaning |",
        "|---|---|---|---|",
        *(f"| `{key}` | {one.unit} | {one.aggregation} | {one.description} |" for key, one in STATED.items()),
    ]
    return "\n".join([INTRODUCTION, *computed, "", *desk, "", *stated, ""])


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - a page for a file
