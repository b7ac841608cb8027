"""Accounts: roles in words, staff status that comes with a role, and publishers who look after authors alone."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from rlm_site.tests.editor import count_queries, form_data, group_client, signed_in, user_of
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

ACCOUNTS = "/admin/auth/user/"
PASSWORD = "a long and quiet river"


def account(name: str, *groups: str, **fields: Any) -> User:
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, **{"is_staff": bool(groups), **fields})
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def form_of(user: User) -> str:
    return f"{ACCOUNTS}{user.pk}/change/"


def new(**typed: Any) -> dict[str, Any]:
    return {"username": "quagga", "password1": PASSWORD, "password2": PASSWORD, **typed}


def role(name: str) -> int:
    return Group.objects.get(name=name).pk


def messages(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def superuser() -> Client:
    return signed_in("root")


# What the form shows


def test_the_form_shows_roles_with_what_they_may_and_folds_raw_rights(superuser: Client) -> None:
    page = parse(superuser.get(form_of(account("anna", "Authors"))))
    roles = [text_of(label) for label in page.findall(".//div[@id='id_groups']//label")]
    assert roles[0] == "Authors write, continue their own drafts, and send them for review"
    assert len(roles) == 3
    [folded] = [box for box in page.iter("details") if box.find(".//select[@name='user_permissions']") is not None]
    assert folded.get("open") is None
    assert page.find(".//input[@name='email']") is not None
    shown = text_of(page)
    assert "algorithm" not in shown
    assert "argon2" not in shown


def test_an_account_with_a_role_may_sign_in(superuser: Client) -> None:
    superuser.post(f"{ACCOUNTS}add/", new(groups=[role("Authors")], first_name="Quentin", email="q@example.org"))
    quagga = User.objects.get(username="quagga")
    assert (quagga.is_staff, quagga.is_superuser, quagga.email) == (True, False, "q@example.org")
    assert [group.name for group in quagga.groups.all()] == ["Authors"]
    client = Client(HTTP_HOST="127.0.0.1")
    login = client.get("/admin/login/?next=/admin/")
    signed = client.post("/admin/login/?next=/admin/", form_data(login, username="quagga", password=PASSWORD))
    assert signed["Location"] == "/admin/"


def test_whoever_makes_an_account_without_a_role_is_told(superuser: Client) -> None:
    response = superuser.post(f"{ACCOUNTS}add/", new(), follow=True)
    assert "“quagga” cannot sign in to the admin yet" in messages(response)
    quagga = User.objects.get(username="quagga")
    assert not quagga.is_staff
    response = superuser.post(form_of(quagga), {"username": "quagga", "is_active": "on"}, follow=True)
    assert "cannot sign in to the admin yet" in messages(response)
    sent = {"username": "quagga", "is_active": "on", "groups": [role("Editors")]}
    response = superuser.post(form_of(quagga), sent, follow=True)
    assert "cannot sign in" not in messages(response)
    quagga.refresh_from_db()
    assert quagga.is_staff


def test_members_without_staff_status_of_old_are_told_of_in_the_list(superuser: Client) -> None:
    account("anna", "Authors", is_staff=False)
    account("boris", "Authors")
    page = text_of(parse(superuser.get(ACCOUNTS)))
    assert page.count("cannot sign in to the admin") == 1


# At sign-in


@pytest.mark.parametrize("password", [PASSWORD, "a wrong guess"])
@pytest.mark.parametrize("groups", [(), ("Authors",)])
def test_who_has_the_right_password_is_told_what_is_missing(
    client: Client, password: str, groups: tuple[str, ...]
) -> None:
    account("anna", *groups, is_staff=False)
    login = client.get("/admin/login/")
    page = client.post("/admin/login/", form_data(login, username="anna", password=password)).content.decode()
    assert ("has no role on this site" in page) is (password == PASSWORD)


def test_who_guesses_learns_nothing_of_an_account_without_a_role(client: Client) -> None:
    account("anna", is_staff=False)
    account("boris", "Authors")
    account("carla", "Authors", is_active=False)
    told = set()
    for name in ("anna", "boris", "carla", "nobody"):
        login = client.get("/admin/login/")
        page = parse(client.post("/admin/login/", form_data(login, username=name, password="a wrong guess")))
        told.add(text_of(page.find(".//p[@class='errornote']")))
    assert len(told) == 1


# Publishers


@pytest.fixture
def publisher() -> Client:
    return group_client("Publishers", "petra")


def test_a_publisher_makes_an_author(publisher: Client) -> None:
    page = publisher.get(f"{ACCOUNTS}add/").content.decode()
    for name in ("groups", "is_superuser", "is_staff", "user_permissions"):
        assert f'name="{name}"' not in page
    publisher.post(f"{ACCOUNTS}add/", new(email="q@example.org"))
    quagga = User.objects.get(username="quagga")
    assert (quagga.is_staff, quagga.is_superuser, quagga.is_active) == (True, False, True)
    assert [group.name for group in quagga.groups.all()] == ["Authors"]


FORGED = ["is_superuser", "is_staff", "groups", "user_permissions"]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_publisher_grants_no_more_by_a_forged_form(publisher: Client, is_new: bool) -> None:
    every = dict.fromkeys(FORGED[:2], "on")
    rights = {"groups": [group.pk for group in Group.objects.all()]}
    rights["user_permissions"] = list(Permission.objects.values_list("pk", flat=True)[:9])
    if is_new:
        publisher.post(f"{ACCOUNTS}add/", new(**every, **rights))
    else:
        quagga = account("quagga", "Authors")
        publisher.post(form_of(quagga), {"username": "quagga", "is_active": "on", **every, **rights})
    quagga = User.objects.get(username="quagga")
    assert [group.name for group in quagga.groups.all()] == ["Authors"]
    assert not quagga.is_superuser
    assert not quagga.user_permissions.exists()


def test_a_publisher_deactivates_an_author_and_sets_a_password(publisher: Client) -> None:
    anna = account("anna", "Authors")
    publisher.post(form_of(anna), form_data(publisher.get(form_of(anna)), is_active=None, first_name="Anna"))
    anna.refresh_from_db()
    assert (anna.is_active, anna.first_name, anna.is_staff) == (False, "Anna", True)
    assert [group.name for group in anna.groups.all()] == ["Authors"]
    address = f"{ACCOUNTS}{anna.pk}/password/"
    assert publisher.get(address).status_code == 200
    sent = {"password1": f"{PASSWORD}!", "password2": f"{PASSWORD}!", "usable_password": "true", "set-password": "x"}
    publisher.post(address, sent)
    anna.refresh_from_db()
    assert anna.check_password(f"{PASSWORD}!")


def others() -> list[User]:
    special = account("zoe", "Authors")
    special.user_permissions.add(Permission.objects.get(codename="delete_article"))
    return [
        account("edith", "Editors"),
        account("paul", "Publishers"),
        account("both", "Authors", "Editors"),
        account("chief", "Authors", is_superuser=True),
        account("reader"),
        special,
    ]


def test_a_publisher_touches_no_other_account(publisher: Client) -> None:
    accounts = [*others(), user_of(publisher)]
    before = {user.pk: User.objects.filter(pk=user.pk).values().get() for user in accounts}
    for user in accounts:
        for page in ("change/", "password/", "delete/", "history/"):
            address = f"{ACCOUNTS}{user.pk}/{page}"
            assert publisher.get(address).status_code in {302, 403, 404}, address
            sent = {"username": "stolen", "password1": PASSWORD, "password2": PASSWORD, "post": "yes"}
            assert publisher.post(address, {**sent, "usable_password": "true"}).status_code in {302, 403, 404}
    publisher.post(ACCOUNTS, {"action": "delete_selected", "_selected_action": list(before), "post": "yes"})
    for user in accounts:
        now = User.objects.filter(pk=user.pk).values().get()
        assert {**now, "last_login": None} == {**before[user.pk], "last_login": None}


def test_a_publisher_sees_the_accounts_of_authors_alone(publisher: Client) -> None:
    account("anna", "Authors")
    others()
    assert [user.username for user in publisher.get(ACCOUNTS).context["cl"].result_list] == ["anna"]
    for name in ("edith", "paul", "both", "chief", "reader", "zoe"):
        assert not publisher.get(f"{ACCOUNTS}?q={name}").context["cl"].result_list


def test_nobody_else_looks_after_accounts() -> None:
    anna = account("anna", "Authors")
    for group in ("Authors", "Editors"):
        client = group_client(group)
        for address in (ACCOUNTS, f"{ACCOUNTS}add/", form_of(anna), f"{ACCOUNTS}{anna.pk}/password/"):
            assert client.get(address).status_code == 403
            assert client.post(address, new()).status_code == 403
    assert not User.objects.filter(username="quagga").exists()
    assert group_client("Publishers").get("/admin/auth/group/").status_code == 403


def test_a_right_to_change_accounts_given_one_by_one_is_for_authors_too() -> None:
    boss = account("boss", is_superuser=True)
    somebody = signed_in("somebody", "change_user", "view_user", "add_user", "delete_user")
    assert somebody.get(form_of(boss)).status_code == 302
    somebody.post(form_of(boss), {"username": "stolen"})
    somebody.post(f"{ACCOUNTS}{boss.pk}/delete/", {"post": "yes"})
    boss.refresh_from_db()
    assert boss.username == "boss"


def test_the_list_of_accounts_costs_no_more_queries_for_many(superuser: Client) -> None:
    account("anna", "Authors")
    few = count_queries(superuser, ACCOUNTS)
    for number in range(20):
        account(f"quagga {number}", "Authors", "Editors")
    assert count_queries(superuser, ACCOUNTS) <= few <= 15
