"""See that the content that ships with the site is whole, and right at once after a plain loaddata."""

import random

import pytest
from django.core.management import call_command
from django.utils import timezone

from articles import markdown, placements, topics
from articles.models import Article, Reference
from quotes.models import Quote, Word
from rlm_site.fixture_files import fixture_files
from rlm_site.tags.models import Tag
from rlm_site.text.slugs import ABOUT

pytestmark = [pytest.mark.django_db, pytest.mark.content]


def sections() -> list[Article]:
    return list(Article.objects.exclude(parent=None).select_related("parent"))


def test_there_is_an_encyclopedia() -> None:
    all_topics = Article.objects.topics().exclude(slug=ABOUT)
    assert all_topics.count() >= 11
    assert len(sections()) >= 45
    assert Article.objects.filter(parent__slug="russian-liberation-movement").count() >= 10
    assert all(topic.sections.count() >= 3 for topic in all_topics.filter(sections__isnull=False).distinct())
    assert sum(markdown.source(article.body).words for article in Article.objects.all()) >= 15_000
    assert Quote.objects.filter(status="reported").count() >= 280
    assert Tag.objects.count() >= 25


def test_every_section_cites_twice_and_every_work_cited_has_its_record() -> None:
    keys = set(Reference.objects.values_list("key", flat=True))
    for section in sections():
        citations = markdown.source(section.body).citations
        assert len(citations) >= 2, section
        assert {cited.key for cited in citations} <= keys, section


@pytest.mark.full
def test_every_wiki_link_leads_somewhere_and_topics_link_to_each_other() -> None:
    now = timezone.now()
    for article in Article.objects.select_related("parent"):
        assert topics.render_text(article, now).missing_links == (), article
    assert sum(bool(markdown.source(section.body).links) for section in sections()) > len(sections()) * 0.8


@pytest.mark.full
def test_loading_again_in_any_order_changes_nothing() -> None:
    def counts() -> list[int]:
        return [model.objects.count() for model in (Article, Quote, Reference, Tag, Word)]

    before = counts()
    shuffled = random.sample(fixture_files(), len(fixture_files()))
    call_command("loaddata", *shuffled, verbosity=0)
    assert counts() == before


def test_quiet_pages_show_no_quotation_and_every_line_is_true() -> None:
    now = timezone.now()
    quiet = {"crimes-and-victims", "captivity-and-death", "ochota-august-1944", "peggetz-1-june-1945"}
    quiet |= {"dachau-and-plattling", "twelve-executions"}
    for topic in topics.load_topics(Article.objects.topics(), now):
        for article in topic.articles:
            block = placements.block_of(topic, article, now)
            assert not (block and article.slug in quiet), article
            for word in block.words if block and "containing" in block.line else ():
                assert any(word.lower() in pick.quote.text.lower() for pick in block.picks), (article, word)
