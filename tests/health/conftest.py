import pytest
@pytest.fixture(autouse=True)
def _tmp(settings):
    import importlib.util
    if importlib.util.find_spec("accounts.metrics") is None:
        settings.METRIC_PROVIDERS = ["usage.metrics.provide"]
