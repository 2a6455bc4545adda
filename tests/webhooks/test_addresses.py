"""Where webhooks may not go: judged when an address is given, and again when the connection is made."""

from __future__ import annotations

import ipaddress
import socket
import ssl

import pytest

from accounts.errors import RuleViolated
from tests.factories import AT
from tests.webhooks.receiver import receiver
from webhooks import sending
from webhooks.actions import create_endpoint
from webhooks.addresses import check_url, is_public

NOT_PUBLIC = """0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 192.0.0.8 192.0.2.1
    192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1
    ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001:db8::1 2002:7f00:1::
    2001:0:5ef5:79fb::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1""".split()


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_on_the_internet_is_never_called(address, monkeypatch):
    """The name resolves to it when the connection is made, whatever it was when it was given."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    asked, connected = [], []

    def resolve(host, port, *_args, **_more):
        asked.append(host)
        return [(family, socket.SOCK_STREAM, 6, "", (address, port, *((0, 0) if ":" in address else ())))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", lambda self, where: connected.append(where))
    answer = sending.post("https://hooks.example.com/", b"{}", {})
    assert (answer.status, connected) == (None, [])
    assert "not on the internet" in answer.error
    assert asked == ["hooks.example.com"]


def test_the_judged_address_is_the_one_that_is_called(monkeypatch):
    """A name that answers otherwise the second time (DNS rebinding) is asked once."""
    answers, connected = ["93.184.215.14", "127.0.0.1"], []

    def resolve(host, port, *_args, **_more):
        # Only names can change their mind; urllib3 passes the pinned address through this function too.
        text = host if host[0].isdigit() else answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))]

    def connect(_self, where):
        connected.append(where[0])
        raise ConnectionRefusedError("tested")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    answer = sending.post("https://rebind.example.com/", b"{}", {})
    assert connected == ["93.184.215.14"]
    assert answers == ["127.0.0.1"]
    assert answer.unreachable


def test_a_guarded_sender_reaches_no_server_on_this_machine():
    with receiver() as server:
        assert sending.post(server.url, b"{}", {}).status is None
        assert sending.post(server.url.replace("127.0.0.1", "localhost"), b"{}", {}).status is None
    assert server.received == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_such_an_address_is_refused_when_it_is_given(address):
    host = f"[{address}]" if ":" in address else address
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(RuleViolated) as refused:
        check_url(f"https://{host}/")
    assert refused.value.field == "url"


@pytest.mark.parametrize("url", [
    "", "hooks", "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x",
    "https://example.com:8443/", "https://example.com:99999/", "https://ann:secret@example.com/",
    "https://ex ample.com/",
    "https://example.com/#part", "https://localhost/", "https://redis/", "https://a.localhost/", "https://db.internal/",
    "https://printer.local/", "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://[::1/",
    "https://exämple.com/", "https://example.com/" + "x" * 500, "https://[fe80::1%25eth0]/", "https://example.com./\n/x",
])  # fmt: skip
def test_an_address_that_can_never_be_called_is_refused(url):
    with pytest.raises(RuleViolated) as refused:
        check_url(url)
    assert refused.value.field == "url"


@pytest.mark.parametrize("url", ["https://example.com/", "https://example.com:443/a?b=c", "https://93.184.215.14/x"])
def test_a_public_address_is_taken(url):
    assert check_url(f" {url} ") == url


@pytest.mark.django_db
def test_an_endpoint_at_a_private_address_cannot_be_set_up(admin):
    with pytest.raises(RuleViolated):
        create_endpoint(url="https://169.254.169.254/latest/", event_types=["cta.opened"], actor=admin, at=AT)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (socket.gaierror(-2, "Name or service not known"), "The name of the host was not found."),
        (ConnectionRefusedError(111, "Connection refused"), "The host refused the connection."),
        (TimeoutError("timed out"), "No connection within 5 s."),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            "The host broke off before it answered.",
        ),
        (OSError(101, "Network is unreachable"), "No connection could be made."),
        (ssl.SSLCertVerificationError(1, "certificate has expired"), "The certificate could not be verified."),
        (ssl.SSLError(1, "wrong version number"), "The host does not speak TLS, or no version of it that is safe."),
    ],
)
@pytest.mark.parametrize("unguarded", [False, True])
def test_what_failed_is_said_in_words_and_kept_as_the_machine_said_it(monkeypatch, settings, raised, said, unguarded):
    settings.WEBHOOKS_UNGUARDED = unguarded

    def resolve(host, port, *_args, **_more):
        if isinstance(raised, socket.gaierror):
            raise raised
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    def connect(_self, _where):
        raise raised

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    answer = sending.post("https://hooks.example.com/", b"{}", {})
    assert (answer.status, answer.error, answer.unreachable) == (None, said, True)
    assert raised.args[-1] in answer.detail
    assert "object at 0x" not in answer.detail
