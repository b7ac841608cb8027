"""What is sent when nobody is signed in any more is kept, without a script."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from articles.models import Article
from rlm_site.tests.editor import form_data, signed_in, user_of

pytestmark = pytest.mark.django_db

TYPED = "Written for an hour, while the session ended.\r\n\r\n“Twice” & <more>."
ADDRESS = "/admin/articles/article/add/"


@pytest.fixture
def expired() -> tuple[Client, dict[str, str]]:
    """Return a client whose session has ended, and what it typed before."""
    client = signed_in()
    user = user_of(client)
    user.set_password("a long password of ours")
    user.save()
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(user)
    data = form_data(client.get(ADDRESS), title="Zorblax", slug="zorblax", summary="It.", body=TYPED, _save="Save")
    client.cookies.pop("sessionid")
    return client, data


def credentials(password: str) -> dict[str, str]:
    return {"sign_in-username": "editor", "sign_in-password": password}


def test_the_answer_asks_to_sign_in_and_holds_all_of_it(expired: tuple[Client, dict[str, str]]) -> None:
    client, data = expired
    answer = client.post(ADDRESS, data)
    assert answer.status_code == 403
    assert form_data(answer)["title"] == "Zorblax"
    assert form_data(answer)["body"] == TYPED
    assert not Article.objects.filter(slug="zorblax").exists()


def test_signing_in_there_saves_it(expired: tuple[Client, dict[str, str]]) -> None:
    client, data = expired
    answer = client.post(ADDRESS, data)
    saved = client.post(ADDRESS, form_data(answer, **credentials("a long password of ours"), _save="Save"))
    assert saved.status_code == 302
    assert client.get("/admin/").status_code == 200
    article = Article.objects.get(slug="zorblax")
    opened = form_data(client.get(f"/admin/articles/article/{article.pk}/change/"))
    assert opened["body"] == TYPED


def test_a_wrong_password_loses_nothing(expired: tuple[Client, dict[str, str]]) -> None:
    client, data = expired
    answer = client.post(ADDRESS, data)
    for _time in range(12):  # more than a name may be tried
        answer = client.post(ADDRESS, form_data(answer, **credentials("wrong"), _save="Save"))
        assert answer.status_code in {403, 429}
        assert form_data(answer)["body"] == TYPED
    assert answer.status_code == 429
    assert not Article.objects.filter(slug="zorblax").exists()


def test_whoever_may_not_enter_the_admin_is_told(expired: tuple[Client, dict[str, str]]) -> None:
    client, data = expired
    User.objects.update(is_staff=False)
    answer = client.post(ADDRESS, {**data, **credentials("a long password of ours")})
    assert answer.status_code == 403
    assert form_data(answer)["body"] == TYPED


def test_a_script_is_answered_as_before(expired: tuple[Client, dict[str, str]]) -> None:
    client, data = expired
    answer = client.post(ADDRESS, data, headers={"Sec-Fetch-Dest": "empty"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
