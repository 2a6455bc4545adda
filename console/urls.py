"""The operators' console."""

from typing import Any

app_name = "tenants"
urlpatterns: list[Any] = []
