"""Versions of pages for readers: each stays as it was, at an address that goes on working."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from articles import versions
from articles.models import Article, Reference, Version
from articles.tests.test_citing import read_bibtex, read_ris
from rlm_site.history import revisions
from rlm_site.history.models import Deletion, Revision
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import delete, form_data, signed_in, transition
from rlm_site.tests.html import links, meta, parse, text_of, with_class

pytestmark = pytest.mark.django_db

SECTION = "/okapi/stripes/"


def write(**fields: Any) -> Article:
    """Publish a topic with a section, whose text cites a work, links a page and explains a term."""
    topic = Article.objects.create(title="Okapi", slug="okapi", body="An animal.", published=True)
    Article.objects.create(title="Gnu", slug="gnu", body="Another.", published=True)
    Article.objects.create(title="Ossicone", slug="ossicone", kind="term", summary="A horn of sorts.", published=True)
    given = {"title": "Stripes", "slug": "stripes", "body": TEXT, "byline": "Ann Arden and Тим Мосс", **fields}
    section = Article.objects.create(parent=topic, published=True, **given)
    queue.process_queue()
    return section


TEXT = "They have stripes.[@arden-1987, p. 4] See the [[Gnu]] and its Ossicone.<!-- who says so? -->"


def publish(article: Article, **changed: Any) -> None:
    article.refresh_from_db()
    note = changed.pop("note", "")
    kind = changed.pop("kind", Revision.Kind.NONE)
    revisions.publish(article, revisions.content_of(article) | changed, kind=kind, note=note)


def kept_part(client: Client, address: str) -> str:
    """Return what is kept of a page: all but the line above it, which tells of newer versions."""
    content = client.get(address).content.decode()
    return content[content.index('<article class="sheet">') :]


def numbers(client: Client, address: str) -> list[str]:
    """Return what the list of versions names, the newest first."""
    [listed] = with_class(parse(client.get(f"{address}versions/")), "versions")
    return [text_of(item.find("a")) for item in listed.iter("li")]


def test_a_page_that_was_published_has_a_first_version(client: Client) -> None:
    write()
    response = client.get(f"{SECTION}versions/1/")
    document = parse(response)
    text = text_of(document.find(".//main"))
    assert "They have stripes." in text
    assert "Mills and Millers of the Yarle" in text
    assert "A horn of sorts." in text
    assert text_of(document.find(".//h1")) == "Okapi - Stripes"
    assert "It is the newest one." in text
    assert meta(document, "robots") == "noindex"
    assert response["X-Robots-Tag"] == "noindex"
    [canonical] = [link.get("href") for link in document.iter("link") if link.get("rel") == "canonical"]
    assert str(canonical).endswith(SECTION)
    assert "who says so" not in response.content.decode()


@pytest.mark.parametrize("is_asked_first", [True, False])
def test_a_version_stays_byte_for_byte_what_it_was(client: Client, is_asked_first: bool) -> None:
    section = write()
    if is_asked_first:
        assert client.get(f"{SECTION}versions/1/").status_code == 200
    before = Version.objects.get(article=section, number=1).html
    whole = client.get(f"{SECTION}versions/1/").content
    # What else it shows changes alone: no byte of the page does.
    Reference.objects.filter(key="arden-1987").update(title="Zorblax", year="1999", authors="Blax, Zora")
    Article.objects.filter(slug="gnu").update(title="Gazelle", slug="gazelle")
    Article.objects.filter(slug="ossicone").update(summary="No horn at all.", slug="horn")
    section.tags.add("bread")
    Tag.objects.filter(slug="bread").update(name="loaves", slug="loaves")
    assert client.get(f"{SECTION}versions/1/").content == whole
    # The page itself changes: the line above tells it, and all that is kept stays.
    kept = kept_part(client, f"{SECTION}versions/1/")
    publish(section, title="Bands", body="They have bands.[@arden-1987]", byline="Eve Low")
    Article.objects.filter(slug="okapi").update(title="Okapia")
    assert kept_part(client, f"{SECTION}versions/1/") == kept
    assert Version.objects.get(article=section, number=1).html == before
    assert "Zorblax" in kept_part(client, f"{SECTION}versions/2/")


def test_a_version_says_what_is_newer_and_what_changed(client: Client) -> None:
    section = write()
    publish(section, body="They have bands.", kind="correction", note="Not stripes.")
    publish(section, body="They have broad bands.")
    today = date_format(timezone.localdate(), "j F Y")
    document = parse(client.get(f"{SECTION}versions/1/"))
    [line] = with_class(document, "version-line")
    assert f"Version 1 of {today}. 2 versions are newer, the last of them version 3 of {today}." in text_of(line)
    leading = links(document)
    assert leading[f"{SECTION}versions/3/since/1/"] == "What changed since"
    assert leading[SECTION] == "The page as it is now"
    changes = parse(client.get(f"{SECTION}versions/3/since/1/"))
    assert [text_of(each) for each in changes.iter("del")]
    assert "broad bands" in text_of(changes.find(".//main"))
    listed = client.get(f"{SECTION}versions/")
    assert numbers(client, SECTION) == ["Version 3", "Version 2", "Version 1"]
    assert "Correction" in listed.content.decode()
    assert "Not stripes." in listed.content.decode()


def test_a_comparison_shows_what_readers_saw(client: Client) -> None:
    """And not the Markdown, in which there are comments of editors and names of pages that are not public."""
    section = write()
    publish(section, body="They [[Secret Quagga|have]] bands.[@zorb-1900] <!-- quagga -->")
    content = client.get(f"{SECTION}versions/2/since/1/").content.decode()
    assert "They have added: bands." in text_of(parse(client.get(f"{SECTION}versions/2/since/1/")).find(".//main"))
    assert "quagga" not in content.lower()
    assert "who says so" not in content


def test_only_what_readers_see_makes_a_version(client: Client) -> None:
    section = write()
    revisions.save_draft(section, revisions.content_of(section) | {"body": "A quagga."}, comment="A quagga.")
    publish(section, quotations="none")
    section.tags.add("bread")
    publish(section)
    transition(signed_in(), section, "reviewed", comment="A quagga.")
    assert numbers(client, SECTION) == ["Version 1"]
    assert "quagga" not in client.get(f"{SECTION}versions/").content.decode()
    publish(section, body="A minor change.")
    assert numbers(client, SECTION) == ["Version 2", "Version 1"]


def test_no_name_and_no_comment_is_shown(client: Client) -> None:
    section = write()
    editor = User.objects.create(username="zorbloxeditor", first_name="Zorblox", password="!")
    content = revisions.content_of(section) | {"body": "New."}
    revisions.publish(section, content, author=editor, comment="zorblox comment", note="Told.")
    for address in ("versions/", "versions/2/", "versions/2/since/1/", "versions/2/cite/", "versions/2/cite.bib"):
        response = client.get(f"{SECTION}{address}")
        assert response.status_code == 200
        assert "zorblox" not in response.content.decode().lower()


def test_a_text_of_another_program_is_a_version_too(client: Client) -> None:
    write()
    Article.objects.filter(slug="stripes").update(body="Written by hand.")
    assert numbers(client, SECTION) == ["Version 2", "Version 1"]
    assert "Written by hand." in kept_part(client, f"{SECTION}versions/2/")
    editor = signed_in()
    section = Article.objects.get(slug="stripes")
    address = f"/admin/articles/article/{section.pk}/change/"
    editor.post(address, form_data(editor.get(address), body="Written again."))
    transition(editor, section, "publish", kind="none")
    assert numbers(client, SECTION) == ["Version 3", "Version 2", "Version 1"]


def test_a_draft_has_no_version(client: Client) -> None:
    Article.objects.create(title="Okapi", slug="okapi", body="An animal.")
    for address in ("versions/", "versions/1/", "versions/1/cite/", "versions/1/cite.ris"):
        assert client.get(f"/okapi/{address}").status_code == 404
    assert not Version.objects.filter(article__slug="okapi").exists()


@pytest.mark.parametrize("of_topic", [True, False])
def test_versions_are_withdrawn_with_their_page(client: Client, of_topic: bool) -> None:
    write()
    withdrawn = Article.objects.filter(slug="okapi" if of_topic else "stripes")
    withdrawn.update(retire_at=timezone.now() - timedelta(hours=1))
    for address in ("versions/", "versions/1/", "versions/1/cite/", "versions/1/cite.bib"):
        assert client.get(f"{SECTION}{address}").status_code == 410
    withdrawn.update(retire_at=None, published=False)
    assert client.get(f"{SECTION}versions/1/").status_code == 404
    withdrawn.update(published=True)
    assert client.get(f"{SECTION}versions/1/").status_code == 200


def test_versions_of_a_deleted_page_are_gone_and_come_back_with_it(client: Client) -> None:
    write()
    editor = signed_in()
    section = Article.objects.get(slug="stripes")
    kept = kept_part(client, f"{SECTION}versions/1/")
    delete(editor, section)
    assert client.get(f"{SECTION}versions/1/").status_code == 410
    form = f"/admin/rlm_site/deletion/{Deletion.objects.get(object_id=section.pk).pk}/change/"
    editor.post(form, form_data(editor.get(form)))
    assert kept_part(client, f"{SECTION}versions/1/") == kept


def test_the_address_of_a_version_follows_its_page(client: Client) -> None:
    write()
    Article.objects.filter(slug="stripes").update(slug="bands")
    response = client.get(f"{SECTION}versions/1/cite/")
    assert (response.status_code, response["Location"]) == (301, "/okapi/bands/versions/1/cite/")
    Article.objects.filter(slug="okapi").update(slug="okapia")
    response = client.get(f"{SECTION}versions/1/")
    assert (response.status_code, response["Location"]) == (301, "/okapia/bands/versions/1/")
    assert client.get("/okapi/versions/1/")["Location"] == "/okapia/versions/1/"


@pytest.mark.parametrize(
    "address", ["versions/0/", "versions/2/", "versions/1/since/1/", "versions/1/since/0/", "versions/2/cite/"]
)
def test_there_are_no_other_versions(client: Client, address: str) -> None:
    write()
    assert client.get(f"{SECTION}{address}").status_code == 404
    assert client.get(f"/okapi/nowhere/{address}").status_code == 404


def test_what_was_replaced_before_its_time_came_is_no_version(client: Client) -> None:
    article = Article.objects.create(title="Okapi", slug="okapi", body="First.")
    revisions.publish(article, revisions.content_of(article), publish_at=timezone.now() + timedelta(days=1))
    publish(article, body="Second.")
    assert client.get("/okapi/versions/1/").status_code == 404
    assert not Version.objects.filter(article=article).exists()
    moment = timezone.now() - timedelta(seconds=1)  # has come, as if the day had passed
    Article.objects.filter(pk=article.pk).update(publish_at=moment)
    for revision, created in zip(
        article.revisions.order_by("number"), (moment, moment - timedelta(days=1)), strict=True
    ):
        standing = {**revision.standing, "publish_at": moment.isoformat()}
        Revision.objects.filter(pk=revision.pk).update(standing=standing, created=created)
    assert numbers(client, "/okapi/") == ["Version 1"]
    assert "Second." in kept_part(client, "/okapi/versions/1/")


def test_what_was_replaced_while_its_topic_was_a_draft_is_no_version(client: Client) -> None:
    topic = Article.objects.create(title="Okapi", slug="okapi", body="An animal.")
    section = Article.objects.create(title="Stripes", slug="stripes", body="First.", parent=topic, published=True)
    queue.process_queue()
    publish(section, body="Second.")
    assert not Version.objects.filter(article=section).exists()
    revisions.publish(topic, revisions.content_of(topic))
    publish(section, body="Third.")
    assert numbers(client, SECTION) == ["Version 2", "Version 1"]
    assert "Second." in kept_part(client, f"{SECTION}versions/1/")


def test_versions_from_before_they_were_kept_are_put_together_once_and_say_so(client: Client) -> None:
    section = write()
    publish(section, body="They have bands.[@arden-1987]")
    Version.objects.filter(article=section).delete()
    late = client.get(f"{SECTION}versions/1/")
    assert "They have stripes." in late.content.decode()
    assert "The page was not kept at the time" in late.content.decode()
    assert "The page was not kept at the time" not in client.get(f"{SECTION}versions/2/").content.decode()
    Reference.objects.filter(key="arden-1987").update(title="Zorblax")
    assert client.get(f"{SECTION}versions/1/").content == late.content


def test_versions_of_many_pages_wait_until_they_are_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "MOST_AT_ONCE", 1)
    for number in range(3):
        Article.objects.create(
            title=f"Okapi {number}", slug=f"okapi-{number}", body="One.[@arden-1987]", published=True
        )
    queue.process_queue()
    pages = Article.objects.filter(slug__startswith="okapi")
    assert not Version.objects.filter(article__in=pages).exists()
    client.get("/okapi-1/")
    Reference.objects.filter(key="arden-1987").update(title="Zorblax")
    assert "Zorblax" not in client.get("/okapi-1/versions/1/").content.decode()
    assert "Zorblax" in client.get("/okapi-2/versions/1/").content.decode()


def test_an_entry_is_kept_with_its_facts_and_its_original_name(client: Client) -> None:
    Article.objects.create(
        title="Clara Brandt", slug="clara-brandt", kind="person", body="A miller.", published=True,
        aliases=[{"name": "Клара Брандт", "language": "ru", "note": ""}],
        facts=[{"fact": "born", "value": "1901-09-14", "detail": "Tolby", "source": "[@arden-1987, p. 4]"}],
    )  # fmt: skip
    text = text_of(parse(client.get("/clara-brandt/versions/1/")).find(".//main"))
    Reference.objects.filter(key="arden-1987").update(authors="Blax, Zora")
    assert text == text_of(parse(client.get("/clara-brandt/versions/1/")).find(".//main"))
    for part in ("Person", "Клара Брандт", "14 September 1901", "Tolby", "Arden"):
        assert part in text


def test_the_page_says_how_to_cite_exactly_this_text(client: Client, settings: Any) -> None:
    settings.SITE_EDITORS = "Eve Low and Clara Brandt"
    section = write()
    publish(section, body="They have bands.")
    today = timezone.localdate()
    document = parse(client.get(SECTION))
    [citation] = with_class(document, "citation")
    words = f"{today.day} {today:%B %Y}"
    assert text_of(citation) == (
        "Arden, Ann, and Тим Мосс. “Okapi - Stripes.” In Yarle Almanac, edited by Eve Low and Clara Brandt. "
        f"Version 2, {words}. http://127.0.0.1:8000{SECTION}versions/2/."
    )
    [printed] = with_class(document, "print-only")
    assert text_of(printed) == f"http://127.0.0.1:8000{SECTION}versions/2/ · Version 2, {words}"
    assert meta(document, "citation_title") == "Okapi - Stripes"
    authors = [each.get("content") for each in document.iter("meta") if each.get("name") == "citation_author"]
    assert authors == ["Arden, Ann", "Мосс, Тим"]
    assert meta(document, "citation_public_url") == f"http://127.0.0.1:8000{SECTION}versions/2/"
    assert meta(document, "citation_publication_date") == f"{today:%Y/%m/%d}"
    assert meta(document, "citation_editor") == "Low, Eve"
    [script] = [each for each in document.iter("script") if each.get("type") == "application/ld+json"]
    assert '"version": "2"' in text_of(script)
    assert f'"dateModified": "{today.isoformat()}"' in text_of(script)


def test_without_byline_and_editors_the_site_is_named(client: Client, settings: Any) -> None:
    settings.SITE_EDITORS = ""
    write(byline="")
    [citation] = with_class(parse(client.get(SECTION)), "citation")
    assert text_of(citation).startswith("“Okapi - Stripes.” In Yarle Almanac. Version 1, ")


def test_the_citation_of_today_can_be_read_by_programs(client: Client, settings: Any) -> None:
    settings.SITE_EDITORS = "Eve Low"
    write()
    today = timezone.localdate()
    response = client.get(f"{SECTION}versions/1/cite/")
    document = parse(response)
    assert f"Accessed {today.day} {today:%B %Y}." in text_of(document.find(".//main"))
    assert links(document)[f"{SECTION}versions/1/cite.bib"] == "Download as BibTeX"
    in_bibtex, in_ris = client.get(f"{SECTION}versions/1/cite.bib"), client.get(f"{SECTION}versions/1/cite.ris")
    assert in_bibtex["Content-Type"] == "text/x-bibtex; charset=utf-8"
    assert in_ris["Content-Type"] == "application/x-research-info-systems; charset=utf-8"
    assert in_bibtex["Content-Disposition"] == 'attachment; filename="okapi-stripes-v1.bib"'
    [entry] = read_bibtex(in_bibtex.content.decode())
    assert (entry["title"], entry["booktitle"]) == ("Okapi - Stripes", "Yarle Almanac")
    assert [each.last for each in entry["author"]] == [["Arden"], ["Мосс"]]
    assert entry["urldate"] == today.isoformat()
    [record] = read_ris(in_ris.content.decode())
    assert record["authors"] == ["Arden, Ann", "Мосс, Тим"]
    assert record["urls"] == [f"http://127.0.0.1:8000{SECTION}versions/1/"]
    assert record["access_date"] == f"{today:%Y/%m/%d}/"
    assert response.valid_until > timezone.now()  # type: ignore[attr-defined]
    assert response.valid_until - timezone.now() <= timedelta(days=1, hours=1)  # type: ignore[attr-defined]


def test_a_preview_says_nothing_of_versions() -> None:
    section = write()
    editor = signed_in()
    content = editor.get(f"/admin/articles/article/{section.pk}/history/1/preview/").content.decode()
    assert "They have stripes." in content
    assert "Cite this page" not in content
    assert "citation_title" not in content


def test_a_section_that_has_the_address_of_the_list_is_still_served(client: Client) -> None:
    topic = Article.objects.create(title="Okapi", slug="okapi", body="An animal.", published=True)
    Article.objects.create(title="Its Versions", slug="versions", body="A section.", parent=topic, published=True)
    assert text_of(parse(client.get("/okapi/versions/")).find(".//h1")) == "Okapi - Its Versions"
    assert client.get("/okapi/versions/1/").status_code == 200
    assert client.get("/okapi/versions/versions/1/").status_code == 200


def test_a_term_without_a_text_has_no_versions(client: Client) -> None:
    Article.objects.create(title="ROA", slug="roa", kind="term", summary="An army.", published=True)
    assert client.get("/roa/versions/").status_code == 404
    assert client.get("/roa/versions/1/").status_code == 404


def test_moments_are_read_as_they_are_stored() -> None:
    moment = timezone.now()
    revision = Revision(standing={"publish_at": revisions.as_json({"at": moment})["at"]}, created=moment)
    assert isinstance(versions._moment(revision, "publish_at"), datetime)
