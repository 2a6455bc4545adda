"""The app's name and label."""

from django.apps import AppConfig


class PlaybooksConfig(AppConfig):
    name = "playbooks"
