from datetime import UTC, datetime
from uuid import UUID

from django.db import migrations

# Keys and moment are fixed: a new workspace replays what this wrote once.
VIEWS = (
    ("0199b1c0-0000-7000-8000-000000000001", "At risk", "band=red%2Corange"),
    ("0199b1c0-0000-7000-8000-000000000002", "Renewing in 90 days", "renewal=90&sort=renewal"),
    ("0199b1c0-0000-7000-8000-000000000003", "My book", "owner=me"),
    ("0199b1c0-0000-7000-8000-000000000004", "No touch for 30 days", "silent=30&sort=touch"),
)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def add(apps, schema_editor):
    SavedView = apps.get_model("accounts", "SavedView")
    SavedView.objects.bulk_create(
        SavedView(
            id=UUID(key), page="accounts", name=name, query=query, is_shared=True, created_at=MOMENT, updated_at=MOMENT
        )
        for key, name, query in VIEWS
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_saved_views_and_bulk_edits")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
