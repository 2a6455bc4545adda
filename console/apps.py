"""The operators' console: every workspace of this installation, in the tenant ``platform`` alone."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"
