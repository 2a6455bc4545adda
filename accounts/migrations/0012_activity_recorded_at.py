from django.db import migrations, models

# A row's key holds the moment it was made, in milliseconds (UUIDv7): later than it happened means it came late.
FILL = """
UPDATE accounts_activity SET recorded_at = made.at
FROM (
    SELECT id, to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AS at
    FROM accounts_activity
) made
WHERE made.id = accounts_activity.id AND made.at > accounts_activity.at + interval '1 minute'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_views_of_tickets'),
    ]

    operations = [
        migrations.AddField(
            model_name='activity',
            name='recorded_at',
            field=models.DateTimeField(blank=True, help_text='When it reached us; empty: as it happened', null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
