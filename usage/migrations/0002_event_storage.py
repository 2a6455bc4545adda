"""The partitioned table of events, the inbox without index, and room on the pages of daily rows."""

from django.db import migrations, models

EVENTS = """
CREATE TABLE usage_event (
    at timestamptz NOT NULL,
    event_key uuid NOT NULL,
    account_id uuid NOT NULL,
    quantity integer NOT NULL,
    ordinal integer,
    mobile boolean NOT NULL,
    event varchar(80) NOT NULL,
    properties jsonb,
    PRIMARY KEY (at, event_key)
) PARTITION BY RANGE (at)
"""

INBOX = """
CREATE TABLE usage_inbox (
    receipt_id uuid NOT NULL,
    source varchar(40) NOT NULL,
    external_id varchar(200) NOT NULL,
    account varchar(120) NOT NULL,
    app_user varchar(200),
    event varchar(80) NOT NULL,
    at timestamptz NOT NULL,
    quantity integer NOT NULL,
    properties jsonb
)
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(EVENTS, "DROP TABLE usage_event")],
            state_operations=[
                migrations.CreateModel(
                    name="UsageEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "at", "event_key", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("event_key", models.UUIDField()),
                        ("account_id", models.UUIDField()),
                        (
                            "ordinal",
                            models.IntegerField(
                                help_text="The user's number in the account; null: no user named", null=True
                            ),
                        ),
                        ("event", models.CharField(max_length=80)),
                        ("quantity", models.IntegerField()),
                        ("mobile", models.BooleanField()),
                        ("properties", models.JSONField(null=True)),
                    ],
                    options={
                        "db_table": "usage_event",
                    },
                ),
            ],
        ),
        migrations.RunSQL(INBOX, "DROP TABLE usage_inbox"),
        # A day's row is updated many times; free room keeps the new version on the same page (HOT).
        migrations.RunSQL("ALTER TABLE usage_accountday SET (fillfactor = 70)", migrations.RunSQL.noop),
    ]
