"""See that our own content cites what is recorded, and records what is cited."""

import pytest
from django.test import Client

from articles import markdown
from articles.models import Article, Reference
from rlm_site.tests.html import parse

pytestmark = [pytest.mark.content, pytest.mark.django_db]


def test_every_reference_record_is_cited(client: Client) -> None:
    listed = {item.get("id") for item in parse(client.get("/references/")).iter("li")}
    assert set(Reference.objects.values_list("key", flat=True)) <= listed


def test_no_citation_lacks_its_record() -> None:
    keys = set(Reference.objects.values_list("key", flat=True))
    unknown = {
        (article.slug, cited.key)
        for article in Article.objects.all()
        for cited in markdown.source(article.body).citations
        if cited.key not in keys
    }
    assert unknown == set()
