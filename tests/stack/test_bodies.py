"""A refused client's body is read, however little of it was needed to refuse it."""

import io

import pytest

from config.bodies import LARGE, SMALL, ReadToTheEnd


@pytest.mark.parametrize(
    ("length", "left"),
    [(10, 8), (SMALL, SMALL - 2), (SMALL + 1, 0), (3 * SMALL, 0), (LARGE + 1, 100)],
    ids=["little", "buffered", "more", "much", "endless"],
)
def test_what_is_left_of_a_larger_body_is_read(length, left):
    body = io.BytesIO(b"x" * (length if length <= LARGE else 102))

    def refusing(environ, start_response):
        environ["wsgi.input"].read(2)
        return [b"no"]

    answer = ReadToTheEnd(refusing)({"CONTENT_LENGTH": str(length), "wsgi.input": body}, None)

    assert (answer, len(body.read())) == ([b"no"], left)


def test_a_request_without_a_body_is_not_touched():
    assert ReadToTheEnd(lambda _environ, _start: [b"yes"])({"CONTENT_LENGTH": ""}, None) == [b"yes"]
