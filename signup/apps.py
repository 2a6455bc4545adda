"""The public host: what Tenure is, and the sign-up that makes a workspace."""

from django.apps import AppConfig


class SignupConfig(AppConfig):
    name = "signup"
