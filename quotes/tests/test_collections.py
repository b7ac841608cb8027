"""The policy of a collection decides what the site picks, whoever changes it and however."""

import json
import tempfile
from collections.abc import Callable, Iterator

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone

from articles.models import Article, QuoteChoice
from quotes import explanations, matching
from quotes.importing.records import CollectionData
from quotes.matching import MatchRequest
from quotes.models import Collection, Quote, QuoteWord
from quotes.pickability import obstacles_of
from rlm_site.indexing import queue
from rlm_site.indexing.models import SetAside, Stale
from rlm_site.tests.editor import form_data, signed_in

pytestmark = pytest.mark.django_db

PINNED, AUTOMATIC = Collection.PickPolicy.PINNED, Collection.PickPolicy.AUTOMATIC
PAGE = MatchRequest("Numbats")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    matching._block_cache.clear()
    yield
    matching._block_cache.clear()


@pytest.fixture
def beasts() -> Collection:
    return Collection.objects.create(slug="beasts", name="Of Beasts")


@pytest.fixture
def numbat(beasts: Collection) -> Quote:
    """Return a quotation that the site may pick as long as its collection allows it."""
    text = "Numbats are kind to numbats, and numbats are the hope of all numbats."
    return Quote.objects.create(key="numbat", text=text, collection=beasts, published=True, status="reported")


def is_picked(quote: Quote) -> bool:
    """Return whether a page shows it, which all that tells of it agrees with."""
    queue.process_queue()
    now = timezone.now()
    [[block]] = matching.blocks([(PAGE,)], now)
    picked = [pick.quote.pk for pick in block.picks] == [quote.pk]
    quote = Quote.objects.get(pk=quote.pk)
    rank = QuoteWord.objects.get(quote=quote, word__text="numbats").rank
    told = explanations.why_not_shown(quote, explanations.explain((PAGE,), 0, now), ["Numbats"], now)
    assert (rank > 0) is picked
    assert Quote.objects.pickable(now).filter(pk=quote.pk).exists() is picked
    assert (obstacles_of(quote, now) == []) is picked
    assert told == ("It is shown." if picked else "Its collection “Of Beasts” is shown only where pinned.")
    return picked


def by_sql(collection: Collection, policy: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE quotes_collection SET pick_policy = %s WHERE id = %s", [policy, collection.pk])


def by_save(collection: Collection, policy: str) -> None:
    collection.pick_policy = policy
    collection.save()


def by_update(collection: Collection, policy: str) -> None:
    Collection.objects.filter(pk=collection.pk).update(pick_policy=policy)


def by_bulk_update(collection: Collection, policy: str) -> None:
    collection.pick_policy = policy
    Collection.objects.bulk_update([collection], ["pick_policy"])


def by_form(collection: Collection, policy: str) -> None:
    editor = signed_in(f"editor-{policy}")
    address = f"/admin/quotes/collection/{collection.pk}/change/"
    assert editor.post(address, form_data(editor.get(address), pick_policy=policy)).status_code == 302
    assert not Stale.objects.exists()  # readers need not wait


def by_fixture(collection: Collection, policy: str) -> None:
    fields = {"slug": collection.slug, "name": collection.name, "pick_policy": policy}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([{"model": "quotes.collection", "fields": fields}], file)
        file.flush()
        call_command("loaddata", file.name, verbosity=0)


WRITES: dict[str, Callable[[Collection, str], None]] = {
    "save": by_save,
    "update": by_update,
    "bulk_update": by_bulk_update,
    "SQL": by_sql,
    "form": by_form,
    "fixture": by_fixture,
}


@pytest.mark.parametrize("write", WRITES)
def test_the_policy_holds_however_it_is_changed(write: str, beasts: Collection, numbat: Quote) -> None:
    assert is_picked(numbat)
    WRITES[write](beasts, PINNED)
    assert not is_picked(numbat)
    WRITES[write](beasts, AUTOMATIC)
    assert is_picked(numbat)


def test_a_quotation_moves_between_collections(beasts: Collection, numbat: Quote) -> None:
    light = Collection.objects.create(name="Wits", register="light", pick_policy=PINNED)
    Quote.objects.filter(pk=numbat.pk).update(collection=light)
    queue.process_queue()
    assert not matching.blocks([(PAGE,)], timezone.now())[0][0]
    Quote.objects.filter(pk=numbat.pk).update(collection=None)
    queue.process_queue()
    assert matching.blocks([(PAGE,)], timezone.now())[0][0]


def test_what_is_pinned_is_shown_whatever_its_collection_says(
    beasts: Collection, numbat: Quote, client: Client
) -> None:
    Collection.objects.update(pick_policy=PINNED)
    page = Article.objects.get(slug="the-fair")
    QuoteChoice.objects.create(article=page, quote=numbat)
    assert numbat.get_absolute_url() in client.get(page.get_absolute_url()).content.decode()
    [[block]] = matching.blocks([(MatchRequest("Numbats", pins=(numbat.pk,)),)], timezone.now())
    assert [pick.quote.collection for pick in block.picks] == [beasts]


def test_readers_see_a_new_policy_at_once(beasts: Collection, numbat: Quote, client: Client) -> None:
    page = Article.objects.get(slug="the-fair")
    Article.objects.filter(pk=page.pk).update(quote_words="numbats", quotations="automatic")
    assert numbat.get_absolute_url() in client.get(page.get_absolute_url()).content.decode()
    by_sql(beasts, PINNED)
    assert numbat.get_absolute_url() not in client.get(page.get_absolute_url()).content.decode()


def test_another_name_of_a_collection_indexes_nothing_again(beasts: Collection, numbat: Quote) -> None:
    queue.process_queue()
    for name in ("name", "source", "licence"):
        Collection.objects.filter(pk=beasts.pk).update(**{name: "Another."})
    assert not Stale.objects.exists()


def test_a_collection_that_is_used_is_not_deleted(beasts: Collection, numbat: Quote) -> None:
    with pytest.raises(ProtectedError):
        beasts.delete()
    numbat.delete()
    beasts.delete()


@pytest.mark.parametrize(
    "wrong", [{"pick_policy": "never"}, {"register": "gay"}, {"trust": ""}, {"name": " "}, {"url": "x"}]
)
def test_the_database_refuses_what_the_form_refuses(wrong: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Collection.objects.bulk_create([Collection(**{"name": "Of Beasts", "slug": "beasts", **wrong})])
    with pytest.raises(ValidationError):
        Collection(**{"name": "Of Beasts", "slug": "beasts", **wrong}).full_clean()


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL refuses to delete it")
def test_a_quotation_whose_collection_another_program_has_deleted_is_set_aside(
    beasts: Collection, numbat: Quote
) -> None:
    queue.process_queue()
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM quotes_collection")
    queue.process_queue()
    assert SetAside.objects.get(kind="quote").object_id == numbat.pk
    Quote.objects.filter(pk=numbat.pk).update(collection=None)
    queue.process_queue()
    assert not SetAside.objects.exists()


def test_an_import_knows_every_field_of_a_collection() -> None:
    assert {*CollectionData._fields} == {field.name for field in Collection._meta.concrete_fields} - {"id"}
    assert CollectionData() == tuple(getattr(Collection(), name) for name in CollectionData._fields)


def test_the_trust_in_a_collection_gives_the_status() -> None:
    statuses = {trust: Collection(trust=trust).usual_status for trust in Collection.Trust.values}
    assert statuses == {"checked": "reported", "printed": "reported", "unchecked": "unverified"}
