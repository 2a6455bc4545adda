import pytest
from django.test import RequestFactory

from ui import views


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (views.bad_request, 400),
        (views.forbidden, 403),
        (views.not_found, 404),
        (views.server_error, 500),
        (views.csrf_failure, 403),
    ],
)
def test_an_error_page_needs_no_database_and_tells_its_request(view, status):
    request = RequestFactory().get("/secret-path/")
    request.request_id = "01a2-request"
    answer = view(request)
    page = answer.content.decode()
    assert answer.status_code == status
    assert "01a2-request" in page
    assert "secret-path" not in page


def test_the_reason_of_a_csrf_failure_stays_in_the_log():
    assert b"Referer" not in views.csrf_failure(RequestFactory().post("/"), reason="Referer checking failed").content


@pytest.mark.django_db
def test_unknown_and_forbidden_paths_use_them(client):
    from tests.factories import UserFactory

    client.force_login(UserFactory(role="csm"))
    assert ["There is no such page" in client.get("/nope/").content.decode(), client.get("/audit/").status_code] == [
        True,
        403,
    ]
