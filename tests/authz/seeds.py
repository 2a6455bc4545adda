"""What stands in the two tenants of the matrix, domain by domain. New kinds of rows are added here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import make_password
from django.db import connection
from PIL import Image

from accounts.actions.files import add_file
from accounts.actions.invitations import invite_user
from accounts.actions.people import create_user_with_password
from accounts.actions.tokens import issue_token
from accounts.actions.workspace import set_logo
from accounts.choices import Role, Visibility
from accounts.models import (
    Account,
    Activity,
    ApiToken,
    Contact,
    Contract,
    ContractLine,
    ExternalId,
    LifecycleStage,
    StandIn,
    TeamMember,
    TeamRole,
    User,
    Workspace,
)
from accounts.uploads import Checked
from console.exports import path_of
from myday.feed import renew_feed
from signup.views import PURPOSE
from tenants import signing
from tenants.models import Tenant, TenantStatus
from tests.authz.actors import PASSWORD, Actor
from tests.authz.passkeys import credential
from tests.authz.world import STAFF, canary, plant

if TYPE_CHECKING:
    from tests.authz.world import World

HASH = make_password(PASSWORD)


def fill(world: World, letter: str) -> None:
    """Make the rows of one tenant, whose schema is selected."""
    Workspace.objects.update(csm_reads_all_accounts=False)
    people = _people(world, letter)
    _look(world, letter, people["owner"])
    for number in (1, 2):
        account = _account(world, letter, number, people)
        _customer_facts(world, letter, number, account)
    _doors(world, letter, people)


def fill_platform(world: World) -> None:
    """The operators' workspace: two people, and two workspaces to look after."""
    for name, role in (("operator", Role.OWNER), ("clerk", Role.READ_ONLY)):
        _user(world, "p", name, role, name.title())
    world.keep("a", "tenant", 1, world.tenants["a"])
    connection.set_schema_to_public()
    gone = Tenant.objects.create(
        schema_name="t_gone_matrix", slug="gone", name="Gone", status=TenantStatus.GONE, created_at=world.now
    )
    world.keep("a", "tenant_gone", 1, gone)
    world.keep("a", "sign_up", 1, SimpleNamespace(token=signing.dumps(gone.pk, purpose=PURPOSE)))
    world.select("p")
    path_of(gone).parent.mkdir(parents=True, exist_ok=True)
    path_of(gone).write_bytes(b"zip")


def _look(world: World, letter: str, owner: User) -> None:
    """A logo and an accent, at the same address in both tenants."""
    picture = BytesIO()
    Image.new("RGB", (64, 64), "navy").save(picture, "PNG")
    set_logo(picture.getvalue(), actor=owner, at=world.now)
    Workspace.objects.update(accent="#3350C4")
    world.keep(letter, "workspace", 1, Workspace.objects.get())


def _people(world: World, letter: str) -> dict[str, User]:
    people = {}
    for name, role in STAFF.items():
        # The portal names the CSM and the team of an account to the customer.
        scope = "x" if role in {Role.CSM, Role.ONBOARDING} else "w"
        people[name] = _user(world, letter, name, role, canary(letter, scope, "i", name))
    # Whose name stands in an invitation is shown to the invited.
    people["inviter"] = _user(world, letter, "inviter", Role.OWNER, canary(letter, "x", "i", "inviter"))
    people["gone"] = _user(world, letter, "gone", Role.CSM, canary(letter, "w", "i", "gone"))
    world.keep(letter, "colleague", 1, people["reader"])
    # Of somebody without work: a calendar's titles are for whoever holds its address.
    world.keep(letter, "feed", 1, SimpleNamespace(secret=renew_feed(people["inviter"], at=world.now)))
    # Far ahead: while one lasts, others see and edit what they do not here.
    ahead = (world.now + timedelta(days=300)).date()
    period = StandIn.objects.create(
        absent=people["csm"], colleague=people["csm_other"], from_on=ahead, until_on=ahead, set_at=world.now
    )
    world.keep(letter, "stand_in", 1, period)
    return people


def _user(world: World, letter: str, name: str, role: str, shown: str, **fields: Any) -> User:
    # One hash for all: the hasher is not what is being tested.
    user = create_user_with_password(
        f"{name}@{letter}.example.com", name=shown, role=role, password="", at=world.now, actor=None, **fields
    )
    User.objects.filter(pk=user.pk).update(password=HASH)
    return user


def _account(world: World, letter: str, number: int, people: dict[str, User]) -> Account:
    owner = people["csm" if number == 1 else "csm_other"]
    account = plant(Account.objects.create(name="x", owner=owner, country="DE", currency="USD"), letter, number, "s")
    Account.objects.filter(pk=account.pk).update(segment=canary(letter, number, "i", "segment"), timezone="")
    world.keep(letter, "account", number, account)
    LifecycleStage.objects.get_or_create(key="matrix-stage", name="Matrix", position=1)
    role, _ = TeamRole.objects.get_or_create(key="matrix-onboarding", name="Onboarding", side="vendor")
    # On the second account its owner: somebody else there would see it.
    on_team = people["onboarding" if number == 1 else "csm_other"]
    world.keep(letter, "team_member", number, TeamMember.objects.create(account=account, user=on_team, role=role))
    shown = canary(letter, number, "s", "portal")
    portal = _user(world, letter, f"portal{number}", Role.PORTAL_USER, shown, portal_accounts=[account])
    people[f"portal{number}"] = portal
    world.keep(letter, "portal_user", number, portal)
    return account


def _customer_facts(world: World, letter: str, number: int, account: Account) -> None:
    contact = Contact.objects.create(account=account, name="x", email=f"contact{number}@{letter}.example.net")
    world.keep(letter, "contact", number, plant(contact, letter, number))
    contract = Contract.objects.create(account=account, start_on=world.now.date() - timedelta(days=100), arr=1000)
    world.keep(letter, "contract", number, plant(contract, letter, number))
    line = ContractLine.objects.create(contract=contract, product="x", seats=5, arr=1000)
    world.keep(letter, "contract_line", number, plant(line, letter, number))
    external = ExternalId.objects.create(account=account, source="crm", external_id=f"X-{letter}-{number}")
    world.keep(letter, "external_id", number, external)
    for visibility, mark in ((Visibility.INTERNAL, "i"), (Visibility.SHARED, "s")):
        content = Checked("plan.txt", "text/plain; charset=utf-8", canary(letter, number, mark, "file").encode())
        title = canary(letter, number, mark, "filed")
        filed = add_file(account, content, actor=account.owner, at=world.now, title=title, visibility=visibility)
        world.keep(letter, f"file_{mark}", number, plant(filed, letter, number, mark))
        world.keep(letter, f"file_version_{mark}", number, filed.versions.get())
        activity = Activity.objects.create(
            account=account,
            kind="note",
            at=world.now,
            title="x",
            visibility=visibility,
            actor=account.owner,
            next_step="x",
            next_step_on=world.now.date(),
            next_step_owner=account.owner,
        )
        kept = plant(activity, letter, number, mark, skip=("source", "external_id"))
        world.keep(letter, f"activity_{mark}", number, kept)


def _doors(world: World, letter: str, people: dict[str, User]) -> None:
    address = f"guest-{canary(letter, 'x')}@example.org".lower()
    invitation, link = invite_user(address, role=Role.CSM, actor=people["inviter"], at=world.now, name="")
    invitation.secret = link.rstrip("/").rsplit("/", 1)[-1]
    world.keep(letter, "invitation", 1, invitation)
    token, _raw = issue_token(people["admin"], name="x", scopes=["read"], actor=None, at=world.now)
    world.keep(letter, "token", 1, plant(token, letter, "w"))
    world.rows[("people", letter)] = people
    world.keep(letter, "nothing", 1, SimpleNamespace(path="nothing/at/all/"))
    world.keep(letter, "section", 1, SimpleNamespace(key="tiers"))


def _second_factors(world: World, letter: str, user: User, number: int) -> None:
    data = {"name": canary(letter, "w"), "credential": credential(world.host(letter))}
    # Keys count from 1 in every schema: B's begins elsewhere, so that A's are not there by chance.
    passkey = Authenticator.objects.create(pk=number, user=user, type=Authenticator.Type.WEBAUTHN, data=data)
    world.keep(letter, "passkey", 1, passkey)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    # Seen before: the first look at the codes is noted down, which is a write of its own.
    RecoveryCodes.activate(user).mark_as_viewed()


def _reset_link(user: User) -> SimpleNamespace:
    from allauth.account.utils import user_pk_to_url_str

    from accounts.password_reset import TokenGenerator

    return SimpleNamespace(uid=user_pk_to_url_str(user), key=TokenGenerator().make_token(user))


def actors(world: World) -> Iterator[Actor]:
    """Everybody who knocks, signed in through the sign-in page."""
    yield Actor("anonymous")
    yield Actor("visitor", tenant="public")
    everything = frozenset({1, 2})
    cookies = world.sign_in("b", "owner@b.example.com")
    yield Actor("owner of B", tenant="b", role=Role.OWNER, sees=everything, edits=everything, cookies=cookies)
    sees = dict.fromkeys(STAFF, everything) | {"csm": frozenset({1}), "csm_other": frozenset({2})}
    edits = {
        "owner": everything,
        "admin": everything,
        "vp": everything,
        "csm": frozenset({1}),
        "csm_other": frozenset({2}),
        "onboarding": frozenset({1}),
    }
    for name, role in STAFF.items():
        yield Actor(
            name,
            role=role,
            sees=sees[name],
            edits=edits.get(name, frozenset()),
            cookies=world.sign_in("a", f"{name}@a.example.com"),
        )
    for number in (1, 2):
        yield Actor(
            f"portal{number}",
            role=Role.PORTAL_USER,
            sees=frozenset({number}),
            cookies=world.sign_in("a", f"portal{number}@a.example.com"),
        )
    yield Actor("deactivated", cookies=_deactivated(world))
    yield from _halfway(world)
    yield Actor("cookie of A on B", tenant="b", cookies=world.sign_in("a", "admin@a.example.com"))
    yield Actor("operator", tenant="p", role=Role.OWNER, cookies=world.sign_in("p", "operator@p.example.com"))
    yield Actor("clerk", tenant="p", role=Role.READ_ONLY, cookies=world.sign_in("p", "clerk@p.example.com"))
    yield Actor("passer-by", tenant="p")
    yield Actor("cookie of A on the platform", tenant="p", cookies=world.sign_in("a", "vp@a.example.com"))
    yield from _tokens(world, everything)
    # After the last sign-in, which would end it.
    world.keep("a", "reset", 1, _reset_link(User.objects.get(email="reader@a.example.com")))


def _halfway(world: World) -> Iterator[Actor]:
    """People whose password was right and who are not in yet: a second factor or a code is missing."""
    people = world.people
    _second_factors(world, "a", people["owner"], 700_000)
    with world.inside("b"):
        _second_factors(world, "b", world.rows[("people", "b")]["owner"], 500_000)
    yield Actor("halfway", cookies=world.sign_in("a", "owner@a.example.com"))
    EmailAddress.objects.filter(user=people["trainer"]).update(verified=False)
    yield Actor("unverified", cookies=world.sign_in("a", "trainer@a.example.com"))
    EmailAddress.objects.filter(user=people["trainer"]).update(verified=True)


def _deactivated(world: World) -> dict[str, str]:
    cookies = world.sign_in("a", "gone@a.example.com")
    User.objects.filter(email="gone@a.example.com").update(is_active=False, deactivated_at=world.now)
    return cookies


def _tokens(world: World, everything: frozenset[int]) -> Iterator[Actor]:
    admin = world.rows[("people", "a")]["admin"]
    for scopes in ((), ("read",), ("write",), ("admin",), ("read", "write", "admin")):
        yield Actor(
            f"token[{' '.join(scopes) or 'no scope'}]",
            role=Role.ADMIN,
            sees=everything,
            edits=everything,
            scopes=frozenset(scopes),
            headers=_bearer(world, admin, scopes),
        )
    everything_allowed = ("read", "write", "admin")
    ended = {"expired": {"expires_at": world.now}, "revoked": {"revoked_at": world.now}}
    for name, change in ended.items():
        yield Actor(f"token[{name}]", headers=_bearer(world, admin, everything_allowed, **change))
    with world.inside("b"):
        headers = _bearer(world, world.rows[("people", "b")]["admin"], everything_allowed)
    yield Actor("token of B on A", headers=headers)


def _bearer(world: World, user: User, scopes: tuple[str, ...], **change: Any) -> dict[str, str]:
    token, raw = issue_token(user, name="matrix", scopes=scopes, actor=None, at=world.now)
    # Used just now, so that its use is not written down again with each request.
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=world.now + timedelta(hours=1), **change)
    return {"Authorization": f"Bearer {raw}"}
