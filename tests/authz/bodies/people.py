"""Signing in, one's own security and the people of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authz.actors import PASSWORD
from tests.authz.bodies.example import Example, at_the_door, named, visitor, with_factors
from tests.authz.bodies.made import tomorrow

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World

NEW_PASSWORD = "another long password"


def away(world: World, actor: Actor) -> dict[str, Any]:
    """One's own absence, for which somebody who works accounts as well stands in."""
    people = world.people_of(actor)
    me = people.get(actor.name, people["owner"])
    other = people["admin" if me.pk == people["vp"].pk else "vp"]
    return {"absent": me.pk, "colleague": other.pk, "from_on": tomorrow(), "until_on": tomorrow()}


EXAMPLES: dict[str, Example] = {
    # Signing in and one's own security
    "GET account_login": Example(status=at_the_door),
    "POST account_login": Example({"login": "nobody@example.com", "password": "wrong"}, status=at_the_door),
    "GET account_logout": Example(status=visitor(302, 200)),
    "GET account_email_verification_sent": Example(status=named({"unverified": 200}, 302)),
    "POST account_email_verification_sent": Example(status=named({"unverified": 200}, 302)),
    "GET account_email": Example(status=302),
    "POST account_reauthenticate": Example({"password": PASSWORD}),
    "POST account_change_password": Example(
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    ),
    "GET account_set_password": Example(status=302),
    "POST account_reset_password": Example({"email": "nobody@example.com"}),
    "GET account_reset_password_from_key": Example(status=302),
    "GET mfa_authenticate": Example(status=named({"halfway": 200}, 302)),
    "POST mfa_authenticate": Example({"code": "000000"}, status=named({"halfway": 200}, 302)),
    "GET mfa_reauthenticate": Example(status=with_factors(200, 302)),
    "POST mfa_reauthenticate": Example({"code": "000000"}, status=with_factors(200, 302)),
    "GET mfa_activate_totp": Example(status=with_factors(302, 200)),
    "POST mfa_activate_totp": Example({"code": "000000"}, status=with_factors(302, 200)),
    "GET mfa_deactivate_totp": Example(status=with_factors(200, 404)),
    "POST mfa_deactivate_totp": Example(status=with_factors(302, 404)),
    "GET mfa_view_recovery_codes": Example(status=with_factors(200, 404)),
    "GET mfa_download_recovery_codes": Example(status=with_factors(200, 404)),
    "POST mfa_generate_recovery_codes": Example(status=with_factors(302, 200)),
    "POST mfa_add_webauthn": Example({"name": "Key"}, status=200),
    "GET mfa_login_webauthn": Example(status=302),
    "GET mfa_reauthenticate_webauthn": Example(status=with_factors(200, 302)),
    "POST mfa_edit_webauthn": Example({"name": "Desk"}),
    # People
    "POST people:user-invite": Example({"email": "new@example.org", "role": "csm"}),
    "POST people:invitation-accept": Example({"name": "Eva", "password": PASSWORD}),
    "POST people:token-list": Example(
        lambda world, actor: {
            "name": "Sync",
            "user": world.people_of(actor)["reader"].pk,
            "scopes": ["read"],
            "days": 30,
        },
        status=201,
    ),
    "POST people:stand-ins": Example(away),
    "POST people:profile": Example({"name": "Ann", "title": "", "timezone": "", "theme": "auto"}),
    "POST accounts:workspace-settings": Example({"name": "Acme", "timezone": "UTC", "currency": "EUR"}),
    "POST people:user-role": Example({"role": "trainer"}),
}
