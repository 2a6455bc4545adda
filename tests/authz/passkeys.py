"""A passkey as a browser would have sent it, without a browser."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT_AND_VERIFIED = 0x45


def credential(host: str, identifier: bytes = b"matrix-passkey-1") -> dict[str, Any]:
    """A registration response for ``host`` with a fresh key and no attestation."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    attested = AttestedCredentialData.create(b"\0" * 16, identifier, key)
    data = AuthenticatorData.create(hashlib.sha256(host.encode()).digest(), PRESENT_AND_VERIFIED, 0, attested)
    client = {"type": "webauthn.create", "challenge": websafe_encode(b"0" * 32), "origin": f"http://{host}"}
    return {
        "id": websafe_encode(identifier),
        "rawId": websafe_encode(identifier),
        "type": "public-key",
        "clientExtensionResults": {"credProps": {"rk": True}},
        "response": {
            "clientDataJSON": websafe_encode(json.dumps(client).encode()),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
    }
