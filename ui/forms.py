"""Forms in our markup: every field with its label, hint and error, wired for screen readers by Django."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.template.loader import get_template
from django.utils.html import escape
from django.utils.safestring import SafeString

from ui.atoms import html


class Renderer(DjangoTemplates):
    """Draws fields and forms with ``components/field.html`` and ``components/form.html``, widgets with Django's."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    def get_template(self, template_name: str):  # noqa: ANN201 - the loader's own template type
        """Our templates first, so that they may use our tags; Django's widgets after."""
        if template_name.startswith("components/"):
            return get_template(template_name)
        return super().get_template(template_name)


class LongSelect(forms.Select):
    """A list of hundreds, without groups: Django renders a template for each option, which takes 5 ms."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        chosen = set(self.format_value(value))
        options = "".join(
            f'<option value="{escape(key)}"{" selected" if str(key) in chosen else ""}>{escape(label)}</option>'
            for key, label in self.choices
        )
        return html(
            f"<select{flatatt(self.build_attrs(self.attrs, {**(attrs or {}), 'name': name}))}>{options}</select>"
        )
