"""Controls of the scorecard's form: whole, named to those who do not see them, and deaf to what somebody typed."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from health.pages.editor import Input, Node
from health.pages.editor_controls import carried, control

SLY = "\"><script>alert('1')</script>"


def test_an_input_has_its_label_its_hint_and_suggestions():
    item = Input("/max_age_days", "Stale after days", "30", hint="Empty: 45.", suggests=True)
    assert control(item) == (
        '<div class="field"><label for="f-max_age_days">Stale after days</label>'
        '<input id="f-max_age_days" name="/max_age_days" value="30" maxlength="200" autocomplete="off" list="metrics"'
        ' aria-describedby="f-max_age_days-h"><span class="hint" id="f-max_age_days-h">Empty: 45.</span></div>'
    )


@pytest.mark.parametrize("value", ["a", "b", "c"])
def test_a_select_shows_what_was_chosen_with_what_is_wrong(value):
    item = Input("/x", "X", value, choices=(("a", "First"), ("b", "Next")), errors=("No.", "Never."), focused=True)
    written = control(item)
    assert [name for name in ("a", "b") if f'<option value="{name}" selected>' in written] == [value] * (value != "c")
    assert '<select id="f-x" name="/x" aria-invalid="true" aria-describedby="f-x-e" autofocus>' in written
    assert "<span>No. Never.</span>" in written
    assert written.count('id="f-x-e"') == 1


def test_nothing_that_was_typed_becomes_markup():
    item = Input(f"/{SLY}", SLY, SLY, choices=((SLY, SLY),), errors=(SLY,), hint=SLY)
    node = Node(f"/{SLY}", [item, Input(f"/{SLY}", SLY, SLY)], [(SLY, SLY)], errors=[SLY])
    written = Template("{{ node.controls }}{{ node.wrong }}").render(Context({"node": node}))
    assert "<script" not in written
    assert "alert('1')" not in written
    assert written == control(item) + control(node.fields[1]) + carried(SLY, SLY) + node.wrong


def test_a_row_says_what_is_wrong_with_it_and_nothing_where_nothing_is():
    node = Node("/bands/0", [], [])
    assert node.wrong == ""
    node.errors = ["Bands overlap.", "So it cannot be kept."]
    assert node.wrong.startswith('<p class="err" id="f-bands-0"><svg')
    assert node.wrong.endswith("<span>Bands overlap. So it cannot be kept.</span></p>")
