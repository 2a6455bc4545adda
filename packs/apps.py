"""The app's name and label."""

from django.apps import AppConfig


class PacksConfig(AppConfig):
    name = "packs"
