from accounts.models import Workspace


def test_a_test_starts_in_acme(db):
    assert Workspace.objects.get().name == "Acme"
