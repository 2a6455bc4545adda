"""Receipts hold when they are as they were issued, and only then; checking one needs neither Django nor a database."""

import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import verify_receipt
from accounts.audit import verify_chain
from accounts.models import AuditEntry
from health.actions import issue_receipts, recompute
from health.models import AccountHealth, HealthScore
from health.queries.receipts import receipt_json, receipts_of
from health.receipts import check, digest_of, text_of
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sealed():
    """The sealed receipt of a score, as a document."""
    world.card()
    rail = world.account()
    world.measure(rail, {**FLEET_BEST, "renewals": "late"})
    recompute(at=NOON)
    (receipt,) = receipts_of(AccountHealth.objects.select_related("account", "version__scorecard"))
    (document,) = issue_receipts([(rail, receipt_json(receipt))], actor=None, at=NOON)
    return document


def raw(document):
    return text_of(document).encode()


def resealed(document):
    """As a forger would leave it: the digest fits again."""
    return raw({**document, "sha256": digest_of(document)})


def test_a_sealed_receipt_holds_and_its_entry_is_in_the_log(sealed):
    entry = AuditEntry.objects.get(action="receipt.issued")
    assert (entry.hash, entry.after["sha256"]) == (sealed["seal"]["hash"], sealed["sha256"])
    assert check(raw(sealed), entry_hash=entry.hash).holds
    assert verify_chain().intact


def unnoticed(document, places):
    """Places at which one changed byte is not noticed."""
    whole = raw(document)
    return [
        (at, whole[at - 20 : at + 20])
        for at in places
        if check(whole[:at] + bytes([whole[at] ^ (1 << at % 7)]) + whole[at + 1 :]).holds
    ]


def evidence(document):
    """The places of its inputs in its text."""
    whole = raw(document)
    begin = whole.index(b'\n "inputs": [')
    return range(begin, whole.index(b"\n ]", begin))


def test_any_changed_byte_is_noticed(sealed):
    """Every byte of the inputs, every ninth of the rules, the result and the seal."""
    assert check(raw(sealed)).holds
    assert len(evidence(sealed)) > 1000
    assert unnoticed(sealed, {*evidence(sealed), *range(0, len(raw(sealed)), 9)}) == []


@pytest.mark.parametrize("cut", [0, 1, 50, -1, -2])
def test_a_cut_or_foreign_file_is_answered(sealed, cut):
    assert not check(raw(sealed)[:cut]).holds
    assert not check(b"\xff\xfe").holds
    assert not check(b"[]").holds
    assert not check(b"[" * 100_000).holds


def _inputs(document):
    document["inputs"][0]["value"] = "1"


def _points(document):
    document["result"]["points"][0] = 0


def _score(document):
    document["result"]["score"] = "99"


def _shown(document):
    document["result"]["shown"] = "99.9"


def _band(document):
    document["result"]["band"] = "red"


def _definition(document):
    document["definition"]["bands"][0]["min"] = 96


def _flag(document):
    document["red_flags"] = ["invented"]


def _lost_input(document):
    del document["inputs"][0]


@pytest.mark.parametrize("tamper", [_inputs, _points, _score, _shown, _band, _definition, _flag, _lost_input])
def test_a_changed_receipt_whose_digest_was_made_to_fit_does_not_come_out(sealed, tamper):
    del sealed["seal"]
    assert check(resealed(sealed)).holds
    tamper(sealed)
    assert not check(resealed(sealed)).holds


def test_a_seal_fits_its_receipt_and_the_log(sealed):
    moved = {**sealed, "account": {**sealed["account"], "name": "Other"}}
    finding = check(resealed(moved))
    assert finding.problems == ("Its audit entry records another digest.",)
    assert not check(raw(sealed), entry_hash="0" * 64).holds
    assert not check(raw({key: value for key, value in sealed.items() if key != "seal"}), entry_hash="0" * 64).holds


def test_every_score_of_a_workspace_has_a_receipt_that_holds_until_a_byte_is_changed():
    """All methodologies' cards, accounts with every input, with some and with none, now and earlier."""
    for number, key in enumerate(sorted(CARDS)):
        world.card(key)
        for name, values in (("full", FLEET_BEST), ("red", FLEET_RED), ("thin", {"login_pct": "50"}), ("none", {})):
            account = world.account(f"{key} {name}", scorecard_key=key)
            known = {metric: value for metric, value in values.items() if metric in _metrics()}
            if known:
                world.measure(account, known, on=NOON.date() - timedelta(days=number * 40), at=NOON - timedelta(days=9))
    recompute(at=NOON - timedelta(days=8))
    recompute(at=NOON)
    for model in (AccountHealth, HealthScore):
        rows = list(model.objects.select_related("account", "version__scorecard"))
        assert len(rows) >= 4 * len(CARDS)
        documents = [(receipt.account, receipt_json(receipt)) for receipt in receipts_of(rows)]
        assert all(document["agrees"] for _account, document in documents)
        issued = issue_receipts(documents, actor=None, at=NOON)
        assert [check(raw(document)).problems for document in issued] == [()] * len(issued)
        rng = random.Random(len(issued))
        assert [found for one in issued if (found := unnoticed(one, rng.sample(evidence(one), 30)))] == []
    assert verify_chain().intact


def _metrics():
    from usage.models import MetricDefinition

    return set(MetricDefinition.objects.values_list("key", flat=True))


def test_the_command_checks_files_without_django(sealed, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(raw(sealed))
    bad.write_bytes(raw(sealed).replace(b'"late"', b'"soon"'))
    # Run where nothing of Django may even be found.
    script = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'django', 'psycopg', 'celery', 'numpy'}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import verify_receipt\n"
        "sys.exit(verify_receipt.main(sys.argv[1:]))\n"
    )
    for path, status, word in ((good, 0, "HOLDS"), (bad, 1, "DOES NOT HOLD")):
        done = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, capture_output=True, text=True, env={})
        assert (done.returncode, word in done.stdout, done.stderr) == (status, True, "")


def test_the_command_says_what_it_checked(sealed, tmp_path, capsys):
    path = tmp_path / "receipt.json"
    path.write_bytes(raw(sealed))
    assert verify_receipt.main([str(path), "--entry", sealed["seal"]["hash"]]) == 0
    assert "Score 95.0 (green) of Acme Rail" in capsys.readouterr().out
    assert verify_receipt.main([str(path), "--entry", "f" * 64]) == 1
    assert verify_receipt.main([str(tmp_path / "none.json")]) == 2


def test_the_page_gives_a_sealed_receipt_and_reading_writes_nothing(client):
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    recompute(at=NOON)
    client.force_login(world.person("vp@acme.test", role="vp_cs"))
    url = f"/health/accounts/{rail.pk}/receipt/"
    assert check(client.get(f"{url}?format=json").content).holds
    assert not AuditEntry.objects.filter(action="receipt.issued").exists()
    answer = client.post(url)
    entry = AuditEntry.objects.get(action="receipt.issued")
    assert check(answer.content, entry_hash=entry.hash).holds
    assert json.loads(answer.content)["seal"]["entry"][3] == "vp@acme.test"
