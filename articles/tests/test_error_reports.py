"""A site that is deployed names somebody to whom readers report errors."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from articles import error_reports
from articles.models import Article


def test_a_deployment_without_a_contact_is_warned_of(settings: Any) -> None:
    settings.CONTACT_EMAIL = ""
    [warning] = error_reports.check_contact()
    assert "CONTACT_EMAIL" in str(warning.hint)
    assert error_reports.address_for(Article(title="Quagga", slug="quagga")) == ""
    with pytest.raises(SystemCheckError, match=r"articles\.W001"):
        call_command("check", deploy=True, fail_level="WARNING")


def test_a_letter_is_begun_with_the_page(settings: Any) -> None:
    settings.CONTACT_EMAIL = "editors@yarle.example"
    assert error_reports.check_contact() == []
    address = error_reports.address_for(Article(title="Quagga & Gnu", slug="quagga"))
    assert address.startswith("mailto:editors@yarle.example?subject=Error%20on%20%E2%80%9CQuagga%20%26%20Gnu%E2%80%9D")
    assert "http%3A%2F%2F127.0.0.1%3A8000%2Fquagga%2F" in address
