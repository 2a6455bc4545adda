"""Signatures, by the vector of the Standard Webhooks libraries and by a verifier of the tests' own."""

from __future__ import annotations

import base64

from tests.webhooks.receiver import Got
from webhooks.signing import headers, new_secret, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, MOMENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_a_message_is_signed_as_the_standards_own_example():
    assert signature(SECRET, ID, MOMENT, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_changed_id_moment_or_body_no_longer_fits():
    sent = headers([SECRET], ID, MOMENT, BODY)
    assert Got("/", sent, BODY).is_signed_with(SECRET)
    assert not Got("/", sent, BODY + b" ").is_signed_with(SECRET)
    assert not Got("/", sent | {"webhook-id": "msg_other"}, BODY).is_signed_with(SECRET)
    assert not Got("/", sent | {"webhook-timestamp": "1614265331"}, BODY).is_signed_with(SECRET)


def test_two_secrets_sign_side_by_side():
    old, new = new_secret(), new_secret()
    sent = headers([new, old], ID, MOMENT, BODY)
    assert len(sent["webhook-signature"].split(" ")) == 2
    assert Got("/", sent, BODY).is_signed_with(old)
    assert Got("/", sent, BODY).is_signed_with(new)
    assert not Got("/", sent, BODY).is_signed_with(SECRET)


def test_a_secret_has_32_random_bytes_and_is_never_the_same():
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in made} == {32}
