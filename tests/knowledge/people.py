"""Who writes, reviews and reads in these tests."""

from django.utils import timezone

from accounts.actions.people import create_user_with_password
from accounts.choices import Role

AT = timezone.now()


def person(name, role=Role.SUPPORT_AGENT, **fields):
    return create_user_with_password(
        f"{name}@acme.example", name=name.title(), role=role, password="x" * 12, at=AT, actor=None, **fields
    )
