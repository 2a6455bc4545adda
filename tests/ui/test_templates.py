import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Mail and printed documents are read by no browser of ours, and so under no policy.
PAGES = [path for path in TEMPLATES if not {"email", "messages", "pdf"} & set(path.parts)]
# What the content policy would block, or what htmx would have to evaluate.
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style", re.IGNORECASE),
    "an inline handler": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\s(?:src=|type=.application/json))", re.IGNORECASE),
    "hx-on": re.compile(r"hx-on", re.IGNORECASE),
    "a script in hx-vals": re.compile(r"hx-vals\s*=\s*['\"]js:", re.IGNORECASE),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "another host": re.compile(r"<(?:script|link|img)[^>]+(?:src|href)\s*=\s*['\"](?:https?:)?//", re.IGNORECASE),
    "unescaped output": re.compile(r"{%\s*autoescape off"),
    "per cent without a blank": re.compile(r"[}\d]%(?!})"),
}


def name(path):
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_template_holds_nothing_that_the_policy_blocks(path):
    text = path.read_text()
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_is_short(path):
    assert len(path.read_text().splitlines()) <= 150


def test_templates_are_written_in_the_current_style():
    djade = Path(sys.executable).parent / "djade"
    run = subprocess.run(
        [djade, "--check", "--target-version", "5.2", *TEMPLATES], capture_output=True, text=True, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr


def test_the_rules_catch_what_they_are_for():
    bad = {
        "an inline style": '<p style="color:red">',
        "a style element": "<style>p{}</style>",
        "an inline handler": '<a onclick="x()">',
        "an inline script": "<script>alert(1)</script>",
        "hx-on": '<a hx-on:click="x()">',
        "a script in hx-vals": "<a hx-vals='js:{a: 1}'>",
        "a javascript address": '<a href="javascript:x()">',
        "another host": '<script src="https://cdn.example/x.js" defer></script>',
        "unescaped output": "{% autoescape off %}",
        "per cent without a blank": "{{ share }}%",
    }
    assert {what for what, text in bad.items() if FORBIDDEN[what].search(text)} == set(FORBIDDEN)


@pytest.mark.parametrize("path", [path for path in PAGES if "{% block main %}" in path.read_text()], ids=name)
def test_a_page_names_itself(path):
    text = path.read_text()
    is_a_child = "{% extends" in text
    while "{% extends" in text and "block title" not in text:
        parent = re.search(r'{% extends "([^"]+)"', text)
        assert parent is not None
        text = (ROOT / "templates" / parent.group(1)).read_text()
    assert "block title" in text or not is_a_child
