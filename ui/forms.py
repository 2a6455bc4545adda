"""Forms in our markup: every field with its label, hint and error, wired for screen readers by Django."""

from __future__ import annotations

from django.forms.renderers import DjangoTemplates
from django.template.loader import get_template


class Renderer(DjangoTemplates):
    """Draws fields and forms with ``components/field.html`` and ``components/form.html``, widgets with Django's."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    def get_template(self, template_name: str):  # noqa: ANN201 - the loader's own template type
        """Our templates first, so that they may use our tags; Django's widgets after."""
        if template_name.startswith("components/"):
            return get_template(template_name)
        return super().get_template(template_name)
