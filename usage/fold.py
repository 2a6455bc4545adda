"""The SQL that turns events into daily rows. The drain and the rebuild share it, so both give the same rows.

What an event's name means: written in lower case with underscores it is a login, a session (with
``properties.minutes`` or ``properties.seconds``), a workflow started or completed, or, by its part before the
first dot, the use of a feature. A phone is ``properties.platform`` ios, android or mobile,
``properties.mobile`` true, or an event of the feature ``mobile`` or ``mobile_app``.
"""

from __future__ import annotations

LOGIN_NAMES = ("login", "logged_in", "log_in", "sign_in", "signed_in", "user_login")
SESSION_NAMES = ("session", "session_end", "session_ended")
STARTED_NAMES = ("workflow.started", "workflow_started")
COMPLETED_NAMES = ("workflow.completed", "workflow_completed")
MOBILE_FEATURES = ("mobile", "mobile_app")
# Parts before the first dot that are never taken for a feature.
NOT_FEATURES = (*LOGIN_NAMES, *SESSION_NAMES, "workflow", "workflow_started", "workflow_completed", "logout")


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


NORMAL = "replace(replace(lower({0}), '-', '_'), ' ', '_')"
FEATURE = f"split_part({NORMAL}, '.', 1)"

# Needs a CTE ``events(event)``; gives what each name means, once per name.
MEANINGS = f"""
features AS (
    SELECT slot, key AS name FROM usage_featureslot
    UNION SELECT slot, jsonb_array_elements_text(events) FROM usage_featureslot
),
names AS (
    SELECT event, {NORMAL.format("event")} AS normal, {FEATURE.format("event")} AS feature
    FROM (SELECT DISTINCT event FROM events) AS once
),
meanings AS (
    SELECT n.event,
        (SELECT min(f.slot) FROM features f WHERE f.name IN (n.event, n.normal, n.feature)) AS slot,
        n.normal IN ({_quoted(LOGIN_NAMES)}) AS is_login,
        n.normal IN ({_quoted(SESSION_NAMES)}) AS is_session,
        n.normal IN ({_quoted(STARTED_NAMES)}) AS is_started,
        n.normal IN ({_quoted(COMPLETED_NAMES)}) AS is_completed,
        n.feature IN ({_quoted(MOBILE_FEATURES)}) AS is_mobile
    FROM names n
)
"""

# Whether an event's properties say that it came from a phone.
MOBILE = """(
    properties IS NOT NULL AND (
        lower(properties->>'platform') IN ('ios', 'android', 'mobile') OR properties->'mobile' = 'true'::jsonb
    ) IS TRUE
)"""

# The length of a session in whole seconds, 0 to a day; anything but a number counts as 0.
_LENGTH = """CASE
    WHEN jsonb_typeof(properties->'seconds') = 'number' THEN (properties->'seconds')::numeric
    WHEN jsonb_typeof(properties->'minutes') = 'number' THEN (properties->'minutes')::numeric * 60
    ELSE 0 END"""

SUMS = ("quantity", "logins", "sessions", "session_seconds", "workflows_started", "workflows_completed")
KEYS = tuple(f"k{slot}" for slot in range(1, 9))
BITS = ("features", "act", "login", "mobile", *KEYS)
_COLUMNS = ("account_id", "day", "word", *BITS, *SUMS, "last_at")

_KEY_BITS = ",\n    ".join(f"coalesce(bit_or(bit) FILTER (WHERE slot = {slot}), 0)" for slot in range(1, 9))
_MERGED = ",\n    ".join(
    [
        *(f"{name} = usage_accountday.{name} | excluded.{name}" for name in BITS),
        *(f"{name} = usage_accountday.{name} + excluded.{name}" for name in SUMS),
        "last_at = greatest(usage_accountday.last_at, excluded.last_at)",
    ]
)

# Needs ``MEANINGS`` and a CTE ``events(at, account_id, ordinal, event, quantity, mobile, properties)``.
# Writes in key order, so that two writers cannot lock each other out.
FOLD = f"""
INSERT INTO usage_accountday ({", ".join(_COLUMNS)})
SELECT account_id, day, word,
    coalesce(bit_or((1 << (slot - 1))::smallint), 0),
    coalesce(bit_or(bit), 0),
    coalesce(bit_or(bit) FILTER (WHERE is_login), 0),
    coalesce(bit_or(bit) FILTER (WHERE mobile), 0),
    {_KEY_BITS},
    sum(quantity),
    coalesce(sum(quantity) FILTER (WHERE is_login), 0),
    coalesce(sum(quantity) FILTER (WHERE is_session), 0),
    coalesce(sum(seconds), 0),
    coalesce(sum(quantity) FILTER (WHERE is_started), 0),
    coalesce(sum(quantity) FILTER (WHERE is_completed), 0),
    max(at)
FROM (
    SELECT e.account_id, (e.at AT TIME ZONE %(zone)s)::date AS day, coalesce(e.ordinal, 0) / 64 AS word,
        1::bigint << (e.ordinal & 63) AS bit, e.quantity, e.mobile OR m.is_mobile AS mobile, e.at, m.slot,
        m.is_login, m.is_session, m.is_started, m.is_completed,
        CASE WHEN m.is_session AND e.properties IS NOT NULL
            THEN round(least(greatest({_LENGTH}, 0), 86400))::bigint * e.quantity END AS seconds
    FROM events e JOIN meanings m ON m.event = e.event
) AS daily
GROUP BY account_id, day, word
ORDER BY account_id, day, word
ON CONFLICT (account_id, day, word) DO UPDATE SET
    {_MERGED}
RETURNING account_id
"""

# Needs a CTE ``refs(source, account)``; gives ``resolved(source, account, account_id)``, null where unknown.
# The sender's own name for the account comes first, then a name that means one account whatever the source,
# then our key.
RESOLVED = """
elsewhere AS (
    SELECT external_id, min(account_id::text)::uuid AS account_id
    FROM accounts_externalid WHERE external_id IN (SELECT account FROM refs)
    GROUP BY external_id HAVING count(DISTINCT account_id) = 1
),
resolved AS (
    SELECT r.source, r.account, coalesce(own.account_id, elsewhere.account_id, a.id) AS account_id
    FROM refs r
    LEFT JOIN accounts_externalid own ON own.source = r.source AND own.external_id = r.account
    LEFT JOIN elsewhere ON elsewhere.external_id = r.account
    LEFT JOIN accounts_account a
        ON a.id = CASE WHEN pg_input_is_valid(r.account, 'uuid') THEN r.account::uuid END
)
"""
