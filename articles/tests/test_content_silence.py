"""Hold our own pages to what the about page promises: beside the killed and handed over, no machine picks a verse."""

import pytest
from django.test import Client
from django.utils import timezone

from articles import silence
from articles.models import Article
from rlm_site.tags.models import Tag
from rlm_site.tests.html import parse, text_of

pytestmark = [pytest.mark.content, pytest.mark.django_db]

# Pages that the check names and that were read and left to the site, each with the reason.
REVIEWED = {
    "/russian-liberation-movement/the-allies/": "on policy; the handovers have pages of their own",
    "/russian-liberation-movement/exile-and-memory/": "on the life of exiles; the dead are named as remembered",
}


def test_every_page_that_the_check_names_was_read_by_an_editor() -> None:
    named = {advice.row.get_absolute_url(): advice for advice in silence.pages_advised(timezone.now())}
    assert {address: advice for address, advice in named.items() if address not in REVIEWED} == {}
    assert REVIEWED.keys() - named.keys() == set()


def test_the_check_would_name_the_pages_that_are_quiet_if_they_were_not() -> None:
    """Or else it names nothing, and the test above says nothing."""
    quiet = Article.objects.filter(kind=Article.Kind.SUBJECT).exclude(quotations="automatic").exclude(slug="about")
    asked = quiet.count()
    quiet.update(quotations="automatic")
    assert len(silence.pages_advised(timezone.now())) - len(REVIEWED) > asked / 3 > 0


def test_a_tag_that_advises_silence_is_on_some_page_and_on_none_that_is_picked_for() -> None:
    for tag in Tag.objects.filter(advises_silence=True):
        settings = {article.applied_quotations for article in Article.objects.filter(tags=tag)}
        assert settings
        assert "automatic" not in settings, tag
    assert Tag.objects.filter(advises_silence=True).exists()


def test_every_page_has_a_setting_of_its_own() -> None:
    """So that no page changes when somebody changes the setting of its topic."""
    assert not Article.objects.filter(quotations="topic").exists()


def test_the_about_page_says_so(client: Client) -> None:
    assert "nothing is picked: there you find only what an editor has chosen" in text_of(parse(client.get("/about/")))
