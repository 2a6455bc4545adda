"""Writes the stylesheet and the icon sprite. Run after a change in ui/tokens.py, ui/icons.py or ui/src/css."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from ui.icons import build_sprite
from ui.stylesheet import build_stylesheet


class Command(BaseCommand):
    help = "Write static/app.css and static/icons.svg from their sources."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        target = Path(settings.STATICFILES_DIRS[0])
        for name, content in {"app.css": build_stylesheet(), "icons.svg": build_sprite()}.items():
            (target / name).write_text(content)
            self.stdout.write(f"{name}: {len(content.encode()):,} bytes")
