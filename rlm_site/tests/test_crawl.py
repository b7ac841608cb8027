import pytest
from django.test import Client

from rlm_site.tests.crawl import assert_every_link_leads_somewhere

pytestmark = pytest.mark.django_db


def test_every_internal_link_leads_somewhere(client: Client) -> None:
    assert_every_link_leads_somewhere(client)
