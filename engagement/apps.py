"""The app's name and label."""

from django.apps import AppConfig


class EngagementConfig(AppConfig):
    name = "engagement"
