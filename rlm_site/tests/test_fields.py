"""One rule for text at every door: refused where it stands, or made harmless where it is read."""

import json
import xml.etree.ElementTree as ET
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.editor import importing
from rlm_site.tests.editor import form_data, signed_in
from rlm_site.tests.test_broken_rows import drop_rules
from rlm_site.text import printable

pytestmark = pytest.mark.django_db

KEY = "sommer-honest-men"
# The first and the last of each range that is refused; none of those that become line breaks or go.
REFUSED = sorted(
    {
        chr(code)
        for first, last in printable.REFUSED
        for code in (first, last)
        if printable.with_line_breaks(chr(code)) == chr(code)
    }
)
NORMALISED = {
    "\r\n": "\n",
    "\r": "\n",
    "\x0b": "\n",
    "\x0c": "\n",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "\ufeff": "",
}
ALLOWED = ("\t", "\n", "\u00a0", "\u00ad", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "é", "Ж", "𝔄")
PAGES = ("/quotes/", "/words/millers/", "/yarle-valley/the-millers/", "/search/?q=flour", "/quotes/people/lena-sommer/")
XML = ("/feeds/quotes/", "/feeds/changes/", "/sitemap-quotes.xml", "/sitemap-articles.xml")


def quote() -> Quote:
    return Quote.objects.get(key=KEY)


@pytest.mark.parametrize("char", REFUSED, ids=ascii)
def test_what_cannot_be_printed_is_refused_by_save_update_and_bulk_create(char: str) -> None:
    row = quote()
    row.text = f"Honest men.\nHon{char}est."
    for act in (
        row.save,
        row.full_clean,
        lambda: Quote.objects.update(text=row.text),
        lambda: Quote.objects.bulk_update([row], ["text"]),
        lambda: Quote.objects.bulk_create([Quote(text=row.text)]),
        lambda: Article.objects.create(title=f"Hon{char}est"),
    ):
        with pytest.raises(ValidationError) as refusal, transaction.atomic():
            act()
        [[told]] = refusal.value.message_dict.values()
        assert f"U+{ord(char):04X}" in told
        assert "character 4" in told.lower()


@pytest.mark.parametrize("char", NORMALISED, ids=ascii)
def test_breaks_of_word_processors_become_line_breaks(char: str) -> None:
    row = quote()
    row.text, row.translator = f"Honest{char}men.", f"An{char}Other"
    row.save()
    row.refresh_from_db()
    assert row.text == f"Honest{NORMALISED[char]}men."
    assert row.translator == f"An{NORMALISED[char].replace(chr(10), ' ')}Other"


@pytest.mark.parametrize("char", ALLOWED, ids=ascii)
def test_everything_else_is_kept_to_the_letter(char: str) -> None:
    row = quote()
    row.text = f"Honest{char}men."
    row.save()
    row.refresh_from_db()
    assert row.text == f"Honest{char}men."


@pytest.mark.parametrize("char", ["\x07", "\ufffe", "\u202e", "\x1b"], ids=ascii)
def test_a_form_names_the_place_and_keeps_what_was_typed(char: str) -> None:
    editor = signed_in()
    for address, name in (
        (f"/admin/quotes/quote/{quote().pk}/change/", "text"),
        (f"/admin/quotes/quote/{quote().pk}/change/", "change_comment"),
        ("/admin/articles/article/add/", "title"),
        ("/admin/quotes/person/add/", "aliases"),
        ("/admin/rlm_site/tag/add/", "name"),
    ):
        response = editor.post(address, form_data(editor.get(address), **{name: f"Typed by hand {char} and kept"}))
        page = response.content.decode(errors="surrogatepass")
        assert response.status_code == 200, address
        assert f"U+{ord(char):04X}" in page, (address, name)
        assert "Typed by hand" in page


def test_a_form_takes_what_word_processors_put_in_place_of_a_line_break() -> None:
    editor = signed_in()
    address = f"/admin/quotes/quote/{quote().pk}/change/"
    typed = {"text": "Honest\x0bmen.", "change_comment": "From\x0cWord"}
    assert editor.post(address, form_data(editor.get(address), **typed)).status_code == 302
    assert quote().revisions.latest("number").content["text"] == "Honest\nmen."
    assert quote().revisions.latest("number").comment == "From Word"


@pytest.mark.parametrize(
    "char", [char for char in REFUSED if char not in "\0" and not 0xD800 <= ord(char) < 0xE000], ids=ascii
)
def test_another_program_is_refused_and_what_one_left_before_is_harmless(client: Client, char: str) -> None:
    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE quotes_quote SET text = %s WHERE key = %s", [f"Honest millers{char} and flour.", KEY]
            )

    with pytest.raises(IntegrityError), transaction.atomic():
        write()
    drop_rules()
    write()
    for address in PAGES:
        response = client.get(address)
        assert response.status_code == 200
        assert char == "\ufffd" or char not in response.content.decode()
    for address in XML:
        ET.fromstring(client.get(address).content.decode())  # noqa: S314 - made by ourselves


def test_what_another_program_left_is_exported_as_it_is_read_and_imported_again(tmp_path: object) -> None:
    drop_rules()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE quotes_quote SET text = %s WHERE key = %s", ["Honest\x07 men\x0b and flour.", KEY])
    file = f"{tmp_path}/quotes.jsonl"
    call_command("export_quotes", file, stdout=StringIO(), stderr=StringIO())
    call_command("import_quotes", file, stdout=StringIO(), stderr=StringIO())
    assert quote().text == "Honest men\n and flour."


@pytest.mark.parametrize("text", ['[{"name": "Half\\ud800", "slug": "half"}]', '[{"na\\udfff": "a", "slug": "b"}]'])
def test_half_of_a_character_in_a_file_is_named_with_its_line(text: str) -> None:
    with pytest.raises(importing.UnreadableError, match=r"Line 1 contains .*half of a character"):
        importing.read_json(text)


def test_both_halves_together_are_a_character() -> None:
    assert importing.read_json(json.dumps([{"name": "𝔄"}])).rows == [["𝔄"]]
    assert importing.read_json('[{"name": "C:\\\\ud800"}]').rows == [["C:\\ud800"]]


def test_names_in_a_list_are_harmless_too() -> None:
    person = Person.objects.get(slug="lena-sommer")
    drop_rules()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE quotes_person SET aliases = %s WHERE id = %s", [json.dumps(["L\x07ena", 5]), person.pk])
    assert Person.objects.get(slug="lena-sommer").aliases == ["Lena"]
    person.aliases = ["Le\x07na"]
    with pytest.raises(ValidationError):
        person.full_clean()
