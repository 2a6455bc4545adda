"""Password reset tokens that only the tenant that made them accepts."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import connection


class TokenGenerator(PasswordResetTokenGenerator):
    """Django's generator, salted with the schema.

    The hash already covers the key, the password, the last sign-in and the address of the user; the salt
    keeps a cloned tenant, where all of those are equal, from honouring a link of its original.
    """

    @property
    def key_salt(self) -> str:  # type: ignore[override]
        return f"accounts.password_reset:{connection.schema_name}"
