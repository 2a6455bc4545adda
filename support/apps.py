"""The app's name and label."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    name = "support"
