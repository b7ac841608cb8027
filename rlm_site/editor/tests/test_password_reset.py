"""A forgotten password is renewed by mail, and nobody learns from it who has an account."""

import re
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rlm_site.editor.password_reset import ATTEMPT
from rlm_site.tests.editor import form_data
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

RESET = "/admin/password_reset/"
OLD, NEW = "a long and quiet river", "a short and noisy brook"


@pytest.fixture
def mailing(settings: Any) -> Any:
    settings.SENDS_MAIL = True
    return settings


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", "anna@example.org", OLD, is_staff=True)


def ask(client: Client, address: str) -> Any:
    response = client.post(RESET, form_data(client.get(RESET), email=address))
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.endswith("(send)"):
            thread.join()
    return response


def link_in(message: Any) -> str:
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/\S+)", message.body)
    return str(link)


def choose(client: Client, link: str, password: str = NEW) -> Any:
    page = client.get(link, follow=True)
    address = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(address, form_data(page, new_password1=password, new_password2=password))


def test_a_link_by_mail_leads_to_a_new_password(client: Client, mailing: Any, anna: User) -> None:
    assert ask(client, "Anna@Example.org")["Location"] == f"{RESET}sent/"
    [message] = mail.outbox
    assert message.to == ["anna@example.org"]
    assert message.subject == "A new password for Yarle Almanac"
    assert "Your username: anna" in message.body
    assert choose(client, link_in(message))["Location"] == f"{RESET}changed/"
    anna.refresh_from_db()
    assert anna.check_password(NEW)
    assert "does not work any more" in client.get(link_in(message), follow=True).content.decode()


def test_a_new_password_must_be_a_good_one(client: Client, mailing: Any, anna: User) -> None:
    ask(client, "anna@example.org")
    page = choose(client, link_in(mail.outbox[0]), "short")
    assert "This password is too short" in page.content.decode()
    anna.refresh_from_db()
    assert anna.check_password(OLD)


def test_whoever_was_locked_out_can_sign_in_with_the_new_one(client: Client, mailing: Any, anna: User) -> None:
    mailing.AXES_FAILURE_LIMIT = 3
    form = form_data(client.get("/admin/login/"), username="anna", password="guess")
    assert [client.post("/admin/login/", form).status_code for _guess in range(3)][-1] == 429
    ask(client, "anna@example.org")
    choose(client, link_in(mail.outbox[0]))
    form = form_data(client.get("/admin/login/"), username="anna", password=NEW, next="/admin/")
    assert client.post("/admin/login/", form)["Location"] == "/admin/"


def test_the_answer_is_the_same_whether_there_is_an_account_or_not(client: Client, mailing: Any, anna: User) -> None:
    User.objects.create_user("boris", "boris@example.org", OLD, is_active=False)
    User.objects.create(username="carla", email="carla@example.org", password="!")
    answers, costs = [], []
    for name in ("anna", "boris", "carla", "nobody"):
        with CaptureQueriesContext(connection) as queries:
            response = ask(client, f"{name}@example.org")
        answers.append((response.status_code, response["Location"], sorted(response.headers)))
        costs.append(len(queries))
    assert len({*map(str, answers)}) == 1
    assert len({*costs[1:], costs[0]}) <= 2  # the first of a client counts it anew
    assert [message.to for message in mail.outbox] == [["anna@example.org"]]


def test_nothing_but_the_address_of_the_site_is_in_the_mail(mailing: Any, anna: User) -> None:
    ask(Client(HTTP_HOST="localhost"), "anna@example.org")
    assert "localhost" not in mail.outbox[0].body


def test_a_client_that_asks_too_often_waits(client: Client, mailing: Any, anna: User) -> None:
    mailing.AXES_FAILURE_LIMIT = 3
    sent = [ask(client, f"{name}@example.org").status_code for name in ("anna", "x", "y", "anna", "z")]
    assert sent == [302, 302, 429, 429, 429]
    assert len(mail.outbox) == 1
    form = form_data(client.get("/admin/login/"), username="anna", password=OLD, next="/admin/")
    assert client.post("/admin/login/", form)["Location"] == "/admin/"  # to sign in is another matter
    other = Client(HTTP_HOST="127.0.0.1", REMOTE_ADDR="192.0.2.7")
    assert ask(other, "anna@example.org").status_code == 302


def test_no_account_can_be_called_like_the_count_of_attempts() -> None:
    [validator] = [each for each in User._meta.get_field("username").validators if hasattr(each, "regex")]
    assert not validator.regex.fullmatch(ATTEMPT["username"])


def test_a_site_without_mail_says_so_and_sends_nothing(client: Client, anna: User) -> None:
    assert "Forgotten your password? Ask the person" in text_of(parse(client.get("/admin/login/")))
    page = client.get(RESET).content.decode()
    assert "This site sends no mail." in page
    assert "<form" not in page
    assert client.post(RESET, {"email": "anna@example.org"}).status_code == 200
    assert mail.outbox == []


def test_the_login_page_leads_there(client: Client, mailing: Any) -> None:
    page = parse(client.get("/admin/login/"))
    assert [link.text for link in page.iter("a") if link.get("href") == RESET] == ["Forgotten your password?"]


@pytest.mark.parametrize("link", ["MQ/set-password/", "MQ/x-y/", "x/y/", f"{'9' * 40}/a-b/", "%00/%00/"])
def test_a_link_that_is_none_is_told(client: Client, mailing: Any, link: str) -> None:
    response = client.get(f"{RESET}{link}")
    assert response.status_code == 200
    assert "does not work any more" in response.content.decode()


@pytest.mark.parametrize("address", ["x", "", "a@b@c", "anna@example.org\nBcc: x@example.org", "\0@example.org"])
def test_what_is_no_address_is_refused_and_kept(client: Client, mailing: Any, anna: User, address: str) -> None:
    response = ask(client, address)
    assert response.status_code == 200
    assert mail.outbox == []
