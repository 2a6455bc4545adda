"""The app's name and label."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "knowledge"
