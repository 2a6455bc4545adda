from pathlib import Path

from django.conf import settings

from usage.catalogue import DERIVED
from usage.derived import FORMULAS
from usage.handbook import page
from usage.metrics import PER_USER
from usage.stated import TICKET_FORMULAS


def test_the_page_on_metrics_says_what_the_catalogue_says():
    assert (Path(settings.BASE_DIR) / "docs/metrics.md").read_text() == page()


def test_every_computed_metric_has_a_formula_and_every_formula_a_line():
    assert set(DERIVED) - {"open_tickets"} == {*FORMULAS, *TICKET_FORMULAS, PER_USER}
