"""A web process looks for cycles among what its pages make, not among what it has imported."""

import json
import subprocess
import sys

from config.garbage import MIDDLE, OLD, YOUNG

ASK = """
import gc, json, sys
import config.wsgi
print(json.dumps([gc.get_freeze_count(), gc.get_threshold(), "api.urls" in sys.modules]))
"""


def test_the_web_process_has_imported_its_views_and_set_them_aside_before_it_answers():
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    frozen, thresholds, has_views = json.loads(done.stdout)
    assert frozen > 100_000
    assert thresholds == [YOUNG, MIDDLE, OLD]
    assert has_views
