"""Pages are compressed for whoever accepts it, everything else goes out as it is."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import RequestFactory

from ui.compression import LEAST_BYTES, CompressPages

PAGE = "<p>" + "a row of the list " * 400


def answer(response, accept="gzip, br"):
    request = RequestFactory().get("/", HTTP_ACCEPT_ENCODING=accept)
    return CompressPages(lambda _request: response)(request)


def test_a_page_is_smaller_and_the_same_and_says_so():
    found = answer(HttpResponse(PAGE))
    assert gzip.decompress(found.content).decode() == PAGE
    assert len(found.content) < len(PAGE) / 5
    assert found["Content-Encoding"] == "gzip"
    assert int(found["Content-Length"]) == len(found.content)
    assert "Accept-Encoding" in found["Vary"]


def test_the_same_page_has_not_always_the_same_length():
    assert len({len(answer(HttpResponse(PAGE)).content) for _ in range(30)}) > 5


@pytest.mark.parametrize(
    ("make", "accept"),
    [
        (lambda: HttpResponse(PAGE), ""),
        (lambda: HttpResponse(PAGE), "br"),
        (lambda: HttpResponse("x" * (LEAST_BYTES - 1)), "gzip"),
        (lambda: JsonResponse({"text": PAGE}), "gzip"),
        (lambda: HttpResponse(PAGE, headers={"Content-Encoding": "br"}), "gzip"),
    ],
)
def test_what_goes_out_as_it_is(make, accept):
    before = make()
    assert answer(make(), accept).content == before.content


def test_a_stream_is_left_alone():
    found = answer(StreamingHttpResponse([PAGE.encode()], content_type="text/html"))
    assert b"".join(found).decode() == PAGE
