"""Two years behind the accounts of the benchmarks: figures, use, contracts, scores, sums, touches, closed work."""

from __future__ import annotations

import datetime as dt

from django.db import connection

# Stated figures, each recorded on its day, and use on every sixth day; a tenth of the customers left.
FACTS = """
INSERT INTO usage_metricvalue (id, account_id, metric, "on", number, choice, source, recorded_at)
SELECT md5('past ' || l.account_id || l.metric || m)::uuid, l.account_id, l.metric, %(on)s::date - 30 - 30 * m,
    CASE WHEN l.number IS NULL THEN NULL ELSE GREATEST(l.number - m %% 5, 0) END, l.choice, l.source,
    (%(on)s::date - 30 - 30 * m)::timestamptz
FROM usage_metriclatest l CROSS JOIN generate_series(0, 24) m WHERE l.source = 'crm';
INSERT INTO usage_accountday (account_id, day, word, features, quantity, logins, sessions, session_seconds,
    workflows_started, workflows_completed, act, login, mobile, k1, k2, k3, k4, k5, k6, k7, k8, last_at)
SELECT d.account_id, d.day - 30 * m, d.word, d.features, d.quantity, d.logins, d.sessions, d.session_seconds,
    d.workflows_started, d.workflows_completed, d.act, d.login, d.mobile, d.k1, d.k2, d.k3, d.k4, 0, 0, 0, 0,
    d.last_at - make_interval(days => 30 * m)
FROM usage_accountday d CROSS JOIN generate_series(1, 24) m
WHERE d.day > %(on)s::date - 30 AND (%(on)s::date - d.day) %% 6 = 0;
UPDATE accounts_contract SET status = 'churned', end_on = %(on)s::date - 30 - (abs(hashtext(id::text)) %% 500)::int,
    start_on = %(on)s::date - 700 WHERE abs(hashtext(id::text)) %% 10 = 0;
"""
# A score every second week that wanders by ten points, and on the day 31 days ago one for a quarter of the accounts;
# a sum of the portfolio on every day.
SCORES = """
INSERT INTO health_healthscore (version_id, scorecard_key, score, shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at, account_id, computed_on)
SELECT version_id, scorecard_key, LEAST(GREATEST(score - 10 + abs(hashtext(account_id::text || d)) %% 21, 0), 100),
    shown, band, band_rank, rag, coverage_pct, "values", observed_at, sources, states, levels, points, dimensions,
    red_flags, computed_at - make_interval(days => d), account_id, computed_on - d
FROM health_accounthealth CROSS JOIN generate_series(14, 728, 14) d ON CONFLICT DO NOTHING;
INSERT INTO health_healthscore (version_id, scorecard_key, score, shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at, account_id, computed_on)
SELECT version_id, scorecard_key, greatest(score - 7, 0), shown, band, band_rank, rag, coverage_pct, "values",
    observed_at, sources, states, levels, points, dimensions, red_flags, computed_at - interval '31 days', account_id,
    computed_on - 31 FROM health_accounthealth WHERE right(account_id::text, 1) < '4' ON CONFLICT DO NOTHING;
UPDATE health_accounthealth SET change_30d = least(score, 7) WHERE right(account_id::text, 1) < '4';
INSERT INTO health_portfolioday (day, owner_id, tier_id, currency, band, rag, accounts, scored, arr, total)
SELECT %(on)s::date - d, owner_id, tier_id, currency, band, rag, accounts, scored, arr * (1000 - d) / 1000, total
FROM health_portfolioday CROSS JOIN generate_series(1, 730) d WHERE day = %(on)s;
"""
# A call a month with every account, the last up to 255 days ago; for each fifth a CTA closed in every quarter.
WORK = """
INSERT INTO accounts_activity (id, account_id, kind, at, title, body, visibility, source, external_id, data, attendees,
    next_step)
SELECT md5('call ' || a.id || m)::uuid, a.id, 'call',
    %(at)s::timestamptz - make_interval(days => 30 * m + (abs(hashtext(a.id::text)) %% 255)::int), 'Call', '',
    'internal', '', '', '{}', '{}', ''
FROM accounts_account a CROSS JOIN generate_series(0, 23) m;
INSERT INTO playbooks_cta (id, account_id, title, reason, kind, priority, status, owner_id, due_on, trigger_key,
    duplicate_key, evidence, opened_at, assigned_at, closed_at, snooze_reason, outcome, close_note, version)
SELECT md5('closed ' || a.id || q)::uuid, a.id, 'Usage fell on ' || a.name, 'Fewer people signed in', 'risk', 'medium',
    'closed', a.owner_id, %(on)s::date - 90 * q, '', '', '{}', %(at)s::timestamptz - make_interval(days => 90 * q + 20),
    %(at)s::timestamptz - make_interval(days => 90 * q + 20), %(at)s::timestamptz - make_interval(days => 90 * q), '',
    (ARRAY['resolved', 'unresolved'])[1 + q %% 2], '', 1
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM accounts_account) a CROSS JOIN generate_series(1, 8) q
WHERE a.n %% 5 = 0;
"""


def remember(part: str, *, at: dt.datetime) -> None:
    """Write a part of the past (``FACTS``, ``SCORES`` or ``WORK``) behind what the selected schema holds at ``at``."""
    with connection.cursor() as cursor:
        for statement in filter(None, (text.strip() for text in part.split(";\n"))):
            cursor.execute(statement, {"on": at.date(), "at": at})


def tidy(*tables: str) -> None:
    """As autovacuum leaves tables a while after they were filled."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
