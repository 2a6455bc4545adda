"""The usage app: events in, daily rows per account out, observations of metrics."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "usage"
