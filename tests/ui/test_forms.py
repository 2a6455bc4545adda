"""Widgets of our own draw what Django's draw."""

import pytest
from django import forms
from pytest_django.asserts import assertHTMLEqual

from ui.forms import LongSelect

CHOICES = [("", "None"), ("UTC", "UTC"), ("Europe/Berlin", "Europe/<Berlin> & more")]


@pytest.mark.parametrize("value", ["UTC", "Europe/Berlin", "", None, "unknown"])
def test_a_long_select_is_djangos_select(value):
    fields = [
        forms.ChoiceField(choices=CHOICES, widget=widget, required=False) for widget in (forms.Select, LongSelect)
    ]
    ours, theirs = (str(type("F", (forms.Form,), {"zone": field})({"zone": value})["zone"]) for field in fields)
    assertHTMLEqual(ours, theirs)
