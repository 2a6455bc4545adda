"""Rows of the domains above the account record: methodology, usage, health, work and notices."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile

from accounts.actions import archive_field, define_field, edit_accounts, save_view
from accounts.actions.bulk import states
from accounts.models import Account, AuditEntry, ExternalId, User, WorkCalendar
from documents.actions import order_document
from engagement.choices import Kind
from engagement.models import Notification, OutboxMessage
from health.actions import create_segment, draft_trigger, draft_version, recompute, set_override
from health.actions.backtests import run as run_backtest
from health.actions.backtests import start_backtest
from health.actions.dry_runs import run as run_dry
from health.actions.dry_runs import start_dry_run
from health.actions.pack_schedules import When, schedule_pack
from health.actions.reviews import start_review
from health.book.figures import FIGURES
from health.models import (
    AccountHealth,
    Backtest,
    DryRun,
    HealthReview,
    PackSending,
    RenewalReview,
    ReviewItem,
    ScorecardVersion,
    Trigger,
    TriggerRun,
)
from imports.actions import take_file
from imports.models import ImportJob, UndoStep
from packs.actions import install_pack
from packs.models import PackInstall, PackItem
from packs.queries import fields_of
from playbooks.actions import close_cta, open_cta, snooze_cta
from playbooks.models import Playbook
from tests.authz import knowledge_seeds
from tests.authz.support_seeds import fill_support
from tests.authz.world import canary, plant
from usage.actions import record_observations
from usage.models import IngestReceipt, MetricDefinition, ParkedEvent
from webhooks.actions import create_endpoint
from webhooks.models import Attempt, Delivery, Event

if TYPE_CHECKING:
    from tests.authz.world import World

PACK = "fleet"


def fill(world: World, letter: str) -> None:
    """Make the rows of one tenant, whose schema is selected."""
    people = world.rows[("people", letter)]
    _methodology(world, letter, people["owner"])
    accounts = {number: _account(world, letter, number) for number in (1, 2)}
    _usage(world, letter, accounts)
    recompute(at=world.now)
    _lists(world, letter, people["owner"], accounts)
    for number, account in accounts.items():
        _health(world, letter, number, account)
        _work(world, letter, number, account)
        fill_support(world, letter, number, account)
        _renewal(world, letter, number, account)
    _review(world, letter, people["owner"], accounts)
    _notices(world, letter, people["owner"])
    _imports(world, letter, people["owner"])
    knowledge_seeds.fill(world, letter, author=people["reader"], reviewer=people["vp"])
    _documents(world, letter, people["owner"])
    _webhooks(world, letter, people["owner"])
    world.keep(letter, "audit_entry", 1, _audit_entry(world, letter))


def _audit_entry(world: World, letter: str) -> AuditEntry:
    """An entry under the same number in both tenants, with each tenant's own words."""
    newest = AuditEntry.objects.order_by("-pk").first()
    seal = {"prev_hash": newest.hash, "hash": letter * 64}
    words = {"action": "matrix.seeded", "object_type": "account", "object_label": canary(letter, "w", "i", "entry")}
    return AuditEntry.objects.create(pk=900_001, at=world.now, actor_label="system", via="system", **words, **seal)


def _account(world: World, letter: str, number: int) -> Account:
    name = "foreign" if letter == "b" else ("own" if number == 1 else "other")
    if letter == "b" and number == 2:
        return Account.objects.exclude(pk=world.rows[("account", "foreign")].pk).get()
    return world.rows[("account", name)]


def _lab(world: World, letter: str, active: ScorecardVersion, actor: User) -> None:
    """A backtest that has run, and a version that was live."""
    backtest = start_backtest(active, months=1, actor=actor, at=world.now)
    run_backtest(backtest.pk)
    world.keep(letter, "backtest", 1, Backtest.objects.get(pk=backtest.pk))
    waiting = start_backtest(active, months=1, actor=actor, at=world.now)
    world.keep(letter, "backtest_waiting", 1, waiting)
    retired = ScorecardVersion.objects.create(
        scorecard=active.scorecard,
        number=50,
        definition=active.definition,
        state="retired",
        created_at=world.now,
        activated_at=world.now,
        retired_at=world.now,
    )
    world.keep(letter, "retired", 1, retired)


def _methodology(world: World, letter: str, actor: User) -> None:
    install_pack(PACK, actor=actor, at=world.now)
    world.keep(letter, "pack", 1, PackInstall.objects.get(key=PACK))
    items = PackItem.objects.current().select_related("install").filter(section="tiers")
    item = next(item for item in items if fields_of(item))
    world.keep(letter, "pack_item", 1, item)
    world.keep(letter, "item_fields", 1, fields_of(item))
    world.keep(letter, "version", 1, ScorecardVersion.objects.select_related("scorecard").get(state="active"))
    active = world.rows[("version", "own" if letter == "a" else "foreign")]
    world.keep(letter, "scorecard", 1, active.scorecard)
    draft = draft_version(active.scorecard, definition=active.definition, actor=actor, at=world.now)
    world.keep(letter, "draft", 1, draft)
    _lab(world, letter, active, actor)
    world.keep(letter, "calendar", 1, _calendar(letter, "matrix"))
    _calendar(letter, "of-a-service-level")
    world.keep(letter, "trigger", 1, Trigger.objects.order_by("pk").first())
    trigger = Trigger.objects.order_by("pk").first()
    definition = trigger.versions.order_by("-number").first().definition
    draft_trigger(trigger, definition=definition, actor=actor, at=world.now)
    dry_run = start_dry_run(trigger, days=2, actor=actor, at=world.now)
    run_dry(dry_run.pk)
    world.keep(letter, "dry_run", 1, DryRun.objects.get(pk=dry_run.pk))
    log = TriggerRun.objects.create(at=world.now, accounts=1, is_full=True, triggers=1)
    world.keep(letter, "trigger_run", 1, log)
    world.keep(letter, "trigger_version", 1, trigger.versions.order_by("-number").first())
    playbook = Playbook.objects.create(key="matrix", name=canary(letter, "w", "i", "playbook"))
    world.keep(letter, "playbook", 1, playbook)


def _calendar(letter: str, key: str) -> WorkCalendar:
    hours = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    calendar = WorkCalendar.objects.create(key=key, name="x", definition={"weekly": hours})
    return plant(calendar, letter, "w", only=("name",))


def _documents(world: World, letter: str, actor: User) -> None:
    world.keep(letter, "figure", 1, FIGURES["arr"])
    data = {"on": world.now.date().isoformat(), "figures": []}
    document = order_document(
        kind="board_pack", title="x", template="health/pdf/board_pack.html", data=data, parameters={}, actor=actor,
        at=world.now,
    )  # fmt: skip
    document.file.save("x.pdf", ContentFile(b"%PDF-"), save=False)
    document.state, document.file_digest, document.file_bytes = "done", "0" * 64, 5
    document.save()
    world.keep(letter, "document", 1, plant(document, letter, "w", only=("title",)))
    _packs(world, letter, actor, document)


def _packs(world: World, letter: str, actor: User, document: object) -> None:
    """A view that all see, a board pack of it that is sent every week, and one that every colleague got."""
    view = save_view(page="portfolio", name="Shared", query="", is_shared=True, actor=actor, at=world.now)
    world.keep(letter, "shared_portfolio_view", 1, view)
    when = When("week", 8, weekday=0)
    schedule = schedule_pack(view, when=when, recipients=[actor], actor=actor, at=world.now)
    world.keep(letter, "pack_schedule", 1, plant(schedule, letter, "w", only=("name",)))
    sending = PackSending.objects.create(
        schedule=schedule, slot="2026-01-05", name="x", maker=actor, document=document, data_digest="0" * 64,
        state="sent", created_at=world.now, ended_at=world.now,
    )  # fmt: skip
    sending.readers.set(User.objects.staff())
    world.keep(letter, "pack_sending", 1, plant(sending, letter, "w", only=("name", "message")))


def _imports(world: World, letter: str, actor: User) -> None:
    for seed, state in (("job", "mapping"), ("job_checked", "checked")):
        raw = b"id,name\nN-1,New\n"
        job = take_file(raw, name="accounts.csv", target="accounts", source="crm", actor=actor, at=world.now)
        ImportJob.objects.filter(pk=job.pk).update(state=state, file_name=canary(letter, "w", "i", "file"))
        world.keep(letter, seed, 1, job)
    _finished_import(world, letter, actor)


def _finished_import(world: World, letter: str, actor: User) -> None:
    """One that can be undone: it changed nothing of the account that it names."""
    job = take_file(b"id,name\nN-1,New\n", name="a.csv", target="accounts", source="crm", actor=actor, at=world.now)
    file_name = canary(letter, "w", "i", "file")
    ImportJob.objects.filter(pk=job.pk).update(state="done", position=1, updated=1, file_name=file_name)
    account = _account(world, letter, 1)
    state = states("account", [account.pk])[account.pk]
    UndoStep.objects.create(job=job, kind="account", object_id=account.pk, name=account.name, before=state, after=state)
    world.keep(letter, "job_done", 1, job)


def _usage(world: World, letter: str, accounts: dict[int, Account]) -> None:
    definition = MetricDefinition.objects.filter(kind="number").order_by("key").first()
    world.keep(letter, "metric", 1, definition)
    on = world.now.date().isoformat()
    rows = [{"account": str(a.pk), "metric": definition.key, "on": on, "value": "1"} for a in accounts.values()]
    record_observations(rows, source="crm", at=world.now)
    receipt = IngestReceipt.objects.create(
        kind="events", source="crm", received=1, accepted=1, created_at=world.now, done_at=world.now
    )
    world.keep(letter, "receipt", 1, receipt)
    ParkedEvent.objects.create(
        receipt_id=receipt.pk,
        source="crm",
        external_id="e-1",
        account=canary(letter, "w", "i", "unknown"),
        event="login",
        at=world.now,
        quantity=1,
    )
    for number, account in accounts.items():
        external = ExternalId.objects.get(account=account)
        world.keep(letter, "external_id", number, external)


def _lists(world: World, letter: str, actor: User, accounts: dict[int, Account]) -> None:
    """A private view, a segment of everybody, an edit of each account, and a column that is edited in place."""
    view = save_view(page="accounts", name="x", query="band=red", actor=actor, at=world.now)
    world.keep(letter, "saved_view", 1, plant(view, letter, "w", only=("name",)))
    queue = save_view(page="tickets", name="x", query="tag=sso", actor=actor, at=world.now)
    world.keep(letter, "ticket_view", 1, plant(queue, letter, "w", only=("name",)))
    figures = save_view(page="portfolio", name="x", query="period=90", actor=actor, at=world.now)
    world.keep(letter, "portfolio_view", 1, plant(figures, letter, "w", only=("name",)))
    rule = {"groups": [{"conditions": [{"field": "arr", "op": ">=", "value": "0"}]}]}
    segment = create_segment(name="x", rule=rule, actor=actor, at=world.now)
    world.keep(letter, "segment", 1, plant(segment, letter, "w", only=("name", "description")))
    for number, account in accounts.items():
        value = canary(letter, number, "i", "industry")
        rows = Account.objects.filter(pk=account.pk)
        edit = edit_accounts(rows, "industry", value, actor=actor, at=world.now).edit
        world.keep(letter, "bulk_edit", number, edit)
        account.refresh_from_db()
    world.keep(letter, "cell", 1, SimpleNamespace(key="segment"))
    given = {"kind": "text", "actor": actor, "at": world.now}
    for kind in ("own_field", "own_field_archived"):
        label = canary(letter, "w", "i", f"{kind}-label")
        world.keep(letter, kind, 1, define_field(label=label, help_text=label, **given))
    archive_field(world.rows["own_field_archived", "own" if letter == "a" else "foreign"], actor=actor, at=world.now)


def _health(world: World, letter: str, number: int, account: Account) -> None:
    health = AccountHealth.objects.select_related("version").get(account=account)
    band = health.version.definition["bands"][0]["key"]
    override = set_override(
        account,
        band=band,
        reason=canary(letter, number, "i", "override"),
        expires_at=world.now + timedelta(days=10),
        actor=account.owner,
        at=world.now,
    )
    world.keep(letter, "override", number, override)


def _review(world: World, letter: str, actor: User, accounts: dict[int, Account]) -> None:
    """A month's review with an item for each account, and no week's: that is still to be started."""
    review = start_review("month", actor=actor, at=world.now)
    HealthReview.objects.filter(pk=review.pk).update(
        steps=[{"seq": 1, "name": "Look", "tasks": [], "from_on": "", "until_on": "", "done_at": None, "done_by": ""}]
    )
    world.keep(letter, "review", 1, HealthReview.objects.get(pk=review.pk))
    for number, account in accounts.items():
        item = ReviewItem.objects.select_related("account").get(review=review, account=account)
        world.keep(letter, "review_item", number, plant(item, letter, number, only=("note",)))


def _renewal(world: World, letter: str, number: int, account: Account) -> None:
    """A renewal whose two signals disagree."""
    contract = account.contracts.get()
    contract.end_on = world.now.date() + timedelta(days=60)
    contract.save(update_fields=["end_on"])
    review = RenewalReview.objects.create(
        contract=contract, account=account, ends_on=contract.end_on, days_before=90, recorded_at=world.now,
        signal="at_risk", reasons=[canary(letter, number, "i", "because")], call_due_on=contract.end_on,
        call="will_renew", call_reason="x", days_left=60, called_at=world.now, called_by=account.owner,
    )  # fmt: skip
    world.keep(letter, "renewal", number, plant(review, letter, number, only=("call_reason",)))


def _work(world: World, letter: str, number: int, account: Account) -> None:
    opened = {}
    for state in ("open", "snoozed", "closed"):
        cta = open_cta(
            account,
            title=canary(letter, number, "i", state),
            reason=canary(letter, number, "i", "reason"),
            kind="risk",
            priority="high",
            duplicate_key=f"matrix-{state}",
            actions=[canary(letter, number, "i", "task")],
            at=world.now,
        )
        opened[state] = cta
        world.keep(letter, f"cta_{state}", number, cta)
    world.keep(letter, "task", number, opened["open"].tasks.first())
    until = world.now.date() + timedelta(days=7)
    reason = canary(letter, number, "i", "snooze")
    snooze_cta(opened["snoozed"], until_on=until, reason=reason, actor=account.owner, at=world.now)
    close_cta(opened["closed"], outcome="resolved", note=reason, actor=account.owner, at=world.now)


def _notices(world: World, letter: str, user: User) -> None:
    notice = Notification.objects.create(
        user=user, kind=Kind.values[0], title="x", dedupe_key="matrix", created_at=world.now
    )
    world.keep(letter, "notice", 1, plant(notice, letter, "w", only=("title", "body")))
    message = OutboxMessage.objects.create(
        user=user,
        to=user.email,
        kind=Kind.values[0],
        title="x",
        dedupe_key="matrix",
        created_at=world.now,
        not_before=world.now,
        attempts=8,
        dead_at=world.now,
        last_error="refused",
    )
    world.keep(letter, "message", 1, plant(message, letter, "w", only=("title", "body")))


def _webhooks(world: World, letter: str, actor: User) -> None:
    """An endpoint at a name that leads nowhere, and a delivery that was given up."""
    endpoint, _secret = create_endpoint(
        url="https://hooks.example.invalid/", event_types=["account.created"], actor=actor, at=world.now
    )
    plant(endpoint, letter, "w", only=("description", "state_reason"))
    world.keep(letter, "webhook", 1, endpoint)
    event = Event.objects.create(
        type="account.created",
        occurred_at=world.now,
        created_at=world.now,
        body=f'{{"data": "{canary(letter, "w", "i", "body")}"}}',
    )
    given_up = Delivery.objects.create(
        event=event, endpoint=endpoint, created_at=world.now, not_before=world.now, attempts=10, failed_at=world.now
    )
    Attempt.objects.create(
        delivery=given_up, at=world.now, duration_ms=1, url=endpoint.url, request_headers={}, status=500,
        response_body=canary(letter, "w", "i", "answer"),
    )  # fmt: skip
    world.keep(letter, "webhook_delivery", 1, given_up)
