import socket

import pytest

from config.stack import StackError, ports


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind((ports.LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(listener):
    assert not ports.is_free(listener)


def test_the_next_free_port_is_taken_instead_of_a_busy_one(listener):
    assert ports.free_from(listener) > listener


def test_running_out_of_ports_names_the_range(listener):
    with pytest.raises(StackError, match=f"None of the ports {listener} to {listener} is free"):
        ports.free_from(listener, tries=1)


def test_a_busy_web_port_is_refused_with_the_port_and_how_to_choose_another(listener):
    with pytest.raises(StackError) as refused:
        ports.require(listener)
    message = str(refused.value)
    assert f"Port {listener} is in use" in message
    proposed = int(message.rpartition("make run PORT=")[2])
    assert ports.is_free(proposed)


def test_a_free_web_port_is_accepted():
    ports.require(ports.free_from(20000))


def test_a_server_on_all_addresses_blocks_the_port_on_loopback():
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        assert not ports.is_free(server.getsockname()[1])
