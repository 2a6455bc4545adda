"""How accounts stood from day to day; a workspace that has history gets it from its scores and contracts.

Owner, tier and segment of the past were not kept before: what is remembered here has today's.
"""

import datetime
import django.db.models.deletion
from django.db import migrations, models


REMEMBER = """
INSERT INTO health_standing (account_id, from_on, until_on, owner_id, tier_id, segment, scorecard_key, currency, arr,
    renewal_on, band, rag, score, coverage_pct, is_stale)
SELECT a.id, s.computed_on, s.until_on, a.owner_id, a.tier_id, a.segment, s.scorecard_key, a.currency,
    COALESCE(c.arr, a.arr), CASE WHEN c.account_id IS NULL THEN a.renewal_on ELSE c.renewal_on END, s.band, s.rag,
    s.score, s.coverage_pct, position('s' IN s.states) > 0
FROM (
    SELECT h.*, LEAST(COALESCE(lead(h.computed_on) OVER (PARTITION BY h.account_id ORDER BY h.computed_on),
        DATE '9999-12-31'), COALESCE(b.churned_on, b.archived_at::date, DATE '9999-12-31')) AS until_on
    FROM health_healthscore h JOIN accounts_account b ON b.id = h.account_id
) s
JOIN accounts_account a ON a.id = s.account_id
LEFT JOIN LATERAL (
    SELECT account_id, COALESCE(sum(arr) FILTER (
        WHERE start_on <= s.computed_on AND (end_on IS NULL OR end_on >= s.computed_on)), 0) AS arr,
        min(end_on) FILTER (WHERE start_on <= s.computed_on AND end_on >= s.computed_on) AS renewal_on
    FROM accounts_contract WHERE status <> 'draft' AND account_id = a.id GROUP BY account_id
) c ON true
WHERE s.until_on > s.computed_on;
WITH days AS (DELETE FROM health_portfolioday RETURNING day)
INSERT INTO health_portfolioday
    (day, owner_id, tier_id, segment, scorecard_key, currency, band, rag, accounts, scored, arr, total)
SELECT d.day, s.owner_id, s.tier_id, s.segment, s.scorecard_key, s.currency, s.band, s.rag, count(*), count(s.score),
    sum(s.arr), COALESCE(sum(s.score), 0)
FROM (SELECT DISTINCT day FROM days) d
JOIN health_standing s ON s.from_on <= d.day AND s.until_on > d.day
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_append_only_audit'),
        ('health', '0002_versions_never_change'),
    ]

    operations = [
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('pk', models.CompositePrimaryKey('account_id', 'from_on', blank=True, editable=False, primary_key=True, serialize=False)),
                ('account', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='standings', to='accounts.account')),
                ('from_on', models.DateField()),
                ('until_on', models.DateField(default=datetime.date(9999, 12, 31))),
                ('owner_id', models.UUIDField(null=True)),
                ('tier_id', models.UUIDField(null=True)),
                ('segment', models.CharField(blank=True, max_length=60)),
                ('scorecard_key', models.CharField(blank=True, max_length=60)),
                ('currency', models.CharField(max_length=3)),
                ('arr', models.DecimalField(decimal_places=2, max_digits=18)),
                ('renewal_on', models.DateField(null=True)),
                ('band', models.CharField(blank=True, max_length=60)),
                ('rag', models.CharField(choices=[('green', 'Green'), ('yellow', 'Yellow'), ('orange', 'Orange'), ('red', 'Red'), ('none', 'Not enough data')], max_length=10)),
                ('score', models.DecimalField(decimal_places=6, max_digits=9, null=True)),
                ('coverage_pct', models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                ('is_stale', models.BooleanField(help_text='Some input was older than the scorecard allows')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='portfolioday',
            name='portfolio_day_once',
        ),
        migrations.AddField(
            model_name='portfolioday',
            name='scorecard_key',
            field=models.CharField(blank=True, db_default='', max_length=60),
        ),
        migrations.AddField(
            model_name='portfolioday',
            name='segment',
            field=models.CharField(blank=True, db_default='', max_length=60),
        ),
        migrations.AddConstraint(
            model_name='portfolioday',
            constraint=models.UniqueConstraint(fields=('day', 'owner_id', 'tier_id', 'segment', 'scorecard_key', 'currency', 'band', 'rag'), name='portfolio_day_once', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='standing',
            index=models.Index(fields=['until_on', 'from_on'], name='standing_by_day'),
        ),
        migrations.AddConstraint(
            model_name='standing',
            constraint=models.CheckConstraint(condition=models.Q(('until_on__gt', models.F('from_on'))), name='standing_ends_after_it_begins'),
        ),
        migrations.RunSQL(REMEMBER, migrations.RunSQL.noop),
    ]
