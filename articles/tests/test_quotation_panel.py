"""The panel of quotations beside an article's form: what it explains, and the choices that act at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from articles import quotation_panel
from articles.models import Article, QuoteChoice
from quotes.models import IndexTerm, Person, Quote, QuoteWord
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.tests.editor import form_data, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def millers() -> Article:
    return Article.objects.select_related("parent").get(slug="the-millers")


@pytest.fixture
def editor() -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.create_superuser("editor"))
    return client


def quote(text: str, **fields: object) -> Quote:
    return Quote.objects.create(text=text, **{"published": True, "status": "reported", **fields})


def panel_of(article: Article, form: dict[str, str] | None = None) -> quotation_panel.Panel:
    return quotation_panel.build_panel(Draft.of(article), form or {}, Quote.objects.all(), timezone.now())


def shown(article: Article, **form: str) -> list[str]:
    panel = panel_of(Article.objects.select_related("parent").get(pk=article.pk), form)
    return [pick.quote.key for pick in panel.explanation.block.picks]


def kept_out(article: Article, wanted: Quote) -> str:
    row = Article.objects.select_related("parent").get(pk=article.pk)
    panel = panel_of(row, {"quotation_search": wanted.key})
    return next(found.kept_out for found in panel.found if found.quote == wanted)


def test_a_phrase_with_function_words_is_found(millers: Article) -> None:
    found = panel_of(millers, {"quotation_search": "Millers pray for rain, and"}).found
    assert [row.quote.key for row in found] == ["proverb-millers-pray-for-rain"]


def test_words_are_reported_with_what_is_ignored_and_how_often_each_form_stands(millers: Article) -> None:
    words = panel_of(millers).explanation.words
    assert [(word.text, word.ignored) for word in words] == [("The", "function word"), ("Millers", "")]
    forms = dict(words[1].forms)
    assert forms["millers"] == QuoteWord.objects.filter(word__text="millers", contained=True).count()
    assert "miller" in forms


def test_the_panel_shows_what_the_page_shows(millers: Article, client: Client) -> None:
    page = client.get("/yarle-valley/the-millers/").content.decode()
    panel = panel_of(millers)
    assert panel.explanation.block.line in page
    for pick in panel.explanation.block.picks:
        assert pick.quote.get_absolute_url() in page
        assert pick.total > 0
    assert not panel.differs


def test_the_effect_of_a_heading_is_shown_before_it_is_saved(millers: Article) -> None:
    panel = panel_of(millers, {"title": "Sun and Bread"})
    assert panel.differs
    assert panel.explanation.block.line.startswith("Famous quotes containing the word")
    assert "millers" not in panel.explanation.block.line
    assert Article.objects.get(pk=millers.pk).title == "The Millers"


def test_ten_runners_up_with_their_scores() -> None:
    article = Article.objects.create(title="Wombats", slug="wombats", published=True)
    for number in range(20):
        quote(
            f"The wombats are asleep in burrow {number}.",
            person=Person.objects.create(name=str(number), slug=f"p{number}"),
        )
    explanation = panel_of(article).explanation
    assert len(explanation.block.picks) == 3
    assert len(explanation.runners_up) == 10
    totals = [pick.total for pick in explanation.runners_up]
    assert totals == sorted(totals, reverse=True)


def test_pin_ban_swap_order_release_and_veto(millers: Article) -> None:
    quote("Millers are early risers, and the stream is earlier.")
    first = shown(millers)
    by_key = {row.key: row for row in Quote.objects.filter(key__in=first)}
    quotation_panel.apply_action(millers, "ban", by_key[first[0]])
    assert first[0] not in shown(millers)
    quotation_panel.apply_action(millers, "release", by_key[first[0]])
    assert shown(millers) == first
    quotation_panel.apply_action(millers, "pin", by_key[first[2]])
    quotation_panel.apply_action(millers, "pin", by_key[first[1]])
    assert shown(millers)[:2] == [first[2], first[1]]
    quotation_panel.apply_action(millers, "up", by_key[first[1]])
    assert shown(millers)[:2] == [first[1], first[2]]
    other = quote("These millers came late to the field.")
    quotation_panel.apply_action(millers, "swap", other, instead_of=by_key[first[2]])
    assert other.key in shown(millers)
    assert first[2] not in shown(millers)
    quotation_panel.apply_action(millers, "veto", by_key[first[0]], word="millers")
    assert first[0] not in shown(millers)
    assert IndexTerm.objects.get(quote=by_key[first[0]]).veto


def test_a_heading_that_changes_keeps_its_pins_and_flags_them(millers: Article) -> None:
    pin = Quote.objects.get(key="sommer-honest-men")
    quotation_panel.apply_action(millers, "pin", pin)
    Article.objects.filter(pk=millers.pk).update(title="The Powers of the West")
    row = Article.objects.select_related("parent").get(pk=millers.pk)
    explanation = panel_of(row).explanation
    assert pin.key in [pick.quote.key for pick in explanation.block.picks]
    Article.objects.filter(pk=millers.pk).update(title="Xyzzy")
    row.refresh_from_db()
    assert panel_of(row).explanation.stale_pins == {pin.pk}


def test_every_reason_that_keeps_a_quotation_out_is_told(millers: Article) -> None:
    now = timezone.now()
    banned = quote("Millers are banned here, they say.")
    quotation_panel.apply_action(millers, "ban", banned)
    person = Person.objects.get(slug="lena-sommer")
    cases = {
        banned: "banned",
        quote("Millers of the draft kind.", published=False): "not public",
        quote("Millers of next week.", publish_at=now + timedelta(days=7)): "not public",
        quote("Millers of doubt, said who.", status="disputed"): "status is “disputed”",
        quote("Millers of error, said he.", status="misattributed", person=person): "misattributed",
        quote("Millers kept by hand, as told.", auto_pick=False): "is off",
        quote("Nothing of the kind at all."): "contains no word",
        quote("One miller is enough for me."): "match the heading better",
        quote("Millers, and once more millers.", person=person): "by Lena Sommer is shown",
        Quote.objects.get(key="sommer-honest-men"): "It is shown",
    }
    for row, words in cases.items():
        assert words in kept_out(millers, row), row.text


def test_a_page_of_chosen_ones_says_so(millers: Article) -> None:
    Article.objects.filter(pk=millers.pk).update(quotations="none")
    assert "only quotations chosen by editors" in kept_out(millers, Quote.objects.get(key="sommer-honest-men"))


@pytest.mark.parametrize(
    ("action", "options"),
    [("dance", {}), ("swap", {}), ("up", {}), ("veto", {"word": "zebra"}), ("veto", {"word": ""})],
)
def test_a_choice_that_makes_no_sense_is_refused_and_changes_nothing(
    millers: Article, action: str, options: dict[str, str]
) -> None:
    before = (QuoteChoice.objects.count(), IndexTerm.objects.count())
    with pytest.raises(ValidationError):
        quotation_panel.apply_action(millers, action, Quote.objects.get(key="sommer-honest-men"), **options)  # type: ignore[arg-type]
    assert (QuoteChoice.objects.count(), IndexTerm.objects.count()) == before


def address(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/quotations/"


def test_a_pin_from_the_panel_is_on_the_page_at_once(millers: Article, editor: Client, client: Client) -> None:
    pin = quote("Something else altogether.")
    form = {"title": "The Millers, unsaved", "action": "pin", "quote": pin.pk}
    answer = editor.post(address(millers), form)
    assert answer.status_code == 200
    assert "Something else altogether." in answer.content.decode()
    page = client.get("/yarle-valley/the-millers/").content.decode()
    assert "Famous quotes chosen for this page:" in page
    assert "Something else altogether." in page
    assert Article.objects.get(pk=millers.pk).title == "The Millers"


def test_a_refused_choice_says_why(millers: Article, editor: Client) -> None:
    answer = editor.post(address(millers), {"action": "up", "quote": Quote.objects.all()[0].pk})
    assert answer.status_code == 400
    assert "Pin it first." in answer.content.decode()


@pytest.mark.parametrize("quote_id", ["", "x", "99999999999999999999", "0"])
def test_a_choice_of_no_quotation_is_refused(millers: Article, editor: Client, quote_id: str) -> None:
    assert editor.post(address(millers), {"action": "pin", "quote": quote_id}).status_code == 400


def test_only_those_who_may_change_the_article_may_choose(millers: Article) -> None:
    before = QuoteChoice.objects.count()
    staff = Client(HTTP_HOST="127.0.0.1")
    staff.force_login(User.objects.create_user("looker", is_staff=True))
    form = {"action": "pin", "quote": Quote.objects.all()[0].pk}
    assert staff.post(address(millers), form).status_code == 403
    assert Client(HTTP_HOST="127.0.0.1").post(address(millers), form).status_code == 403
    assert QuoteChoice.objects.count() == before


def acts_on(row: Article | Quote) -> list[Revision]:
    return list(row.revisions.filter(act=Revision.Act.CHOICES).order_by("number"))


def test_each_choice_stands_in_the_history_with_its_reason(millers: Article, editor: Client) -> None:
    pin = quote("Something else altogether.")
    editor.post(address(millers), {"action": "pin", "quote": pin.pk, "reason": "It fits."})
    editor.post(address(millers), {"action": "release", "quote": pin.pk})
    pinned, released = acts_on(millers)
    assert pinned.comment == "Pinned. “Something else altogether.” It fits."
    assert (pinned.state, pinned.kind, str(pinned.author)) == ("published", "none", "editor")
    assert "It fits." in str(pinned.standing)
    assert "It fits." not in str(released.standing)


def test_a_choice_leaves_a_draft_of_the_text_alone(millers: Article, editor: Client, client: Client) -> None:
    draft = revisions.save_draft(millers, revisions.content_of(millers) | {"body": "Zorblax, drafted."})
    answer = editor.post(address(millers), {"action": "pin", "quote": quote("Something else altogether.").pk})
    assert "Based on the form as it is now" not in answer.content.decode()
    assert revisions.working_copy(millers) == draft
    assert "Zorblax" not in client.get("/yarle-valley/the-millers/").content.decode()
    assert "Zorblax" not in str(acts_on(millers)[0].content)
    page = editor.get(f"/admin/articles/article/{millers.pk}/change/").content.decode()
    assert "Zorblax, drafted." in page


def test_a_veto_stands_in_the_history_of_the_quotation_too(millers: Article, editor: Client) -> None:
    sommer = Quote.objects.get(key="sommer-honest-men")
    form = {"action": "veto", "quote": sommer.pk, "word": "millers", "reason": "Another sense."}
    assert editor.post(address(millers), form).status_code == 200
    assert acts_on(sommer)[0].comment == acts_on(millers)[0].comment
    assert acts_on(sommer)[0].comment.endswith("Another sense.")


def test_a_refused_choice_leaves_no_trace(millers: Article, editor: Client) -> None:
    editor.post(address(millers), {"action": "up", "quote": Quote.objects.all()[0].pk})
    assert acts_on(millers) == []


def test_on_a_public_page_only_a_publisher_chooses(millers: Article) -> None:
    someone = signed_in("someone", "view_article", "add_article", "change_article", "change_quote")
    before = QuoteChoice.objects.count(), IndexTerm.objects.count(), Revision.objects.count()
    sommer = Quote.objects.get(key="sommer-honest-men")
    for action in ("pin", "ban", "release", "swap", "up", "down", "veto"):
        form = {"action": action, "quote": sommer.pk, "instead_of": sommer.pk, "word": "millers"}
        assert someone.post(address(millers), form).status_code == 403
    assert (QuoteChoice.objects.count(), IndexTerm.objects.count(), Revision.objects.count()) == before
    panel = someone.post(address(millers), {"title": "River"}).content.decode()
    assert "Only publishers can choose its quotations" in panel
    assert 'data-action="pin"' not in panel
    assert 'data-action="ban"' not in panel
    Article.objects.filter(pk=millers.pk).update(published=False)
    assert someone.post(address(millers), {"action": "ban", "quote": sommer.pk}).status_code == 200


def test_a_word_is_banned_everywhere_only_by_whoever_publishes_quotations(millers: Article) -> None:
    someone = signed_in("someone", "view_article", "add_article", "change_article", "publish_article")
    sommer = Quote.objects.get(key="sommer-honest-men")
    form = {"action": "veto", "quote": sommer.pk, "word": "millers"}
    assert someone.post(address(millers), form).status_code == 403
    assert someone.post(address(millers), {**form, "action": "ban"}).status_code == 200
    assert not IndexTerm.objects.filter(quote=sommer, veto=True).exists()


def test_two_who_choose_at_the_same_time_lose_nothing_of_each_other(millers: Article, editor: Client) -> None:
    first, second = quote("Something else altogether."), quote("And another thing.")
    other = signed_in("other")
    form = editor.get(f"/admin/articles/article/{millers.pk}/change/")
    editor.post(address(millers), {"action": "pin", "quote": first.pk})
    other.post(address(millers), {"action": "pin", "quote": second.pk})
    editor.post(address(millers), {"action": "up", "quote": second.pk})
    pins = millers.quote_choices.filter(action="pin").order_by("position").values_list("quote", flat=True)
    assert list(pins) == [second.pk, first.pk]
    # a form that was opened before all that takes none of it back
    saved = editor.post(f"/admin/articles/article/{millers.pk}/change/", form_data(form, body="Written meanwhile."))
    assert saved.status_code == 302
    assert list(pins.all()) == [second.pk, first.pk]


def test_a_pin_that_does_not_come_to_be_shown_says_why_and_can_be_taken_off(millers: Article, editor: Client) -> None:
    pins = [quote(f"Pin number {number} of them.") for number in range(4)]
    for pin in pins:
        editor.post(address(millers), {"action": "pin", "quote": pin.pk, "reason": f"Reason {pin.pk}."})
    panel = editor.get(address(millers)).content.decode()
    shown, idle = panel.split("Pinned but not shown")
    assert "Pin number 2" in shown
    assert f"Reason {pins[2].pk}." in shown
    assert "Pin number 3" in idle
    assert f"Reason {pins[3].pk}." in idle
    assert "the first 3 pinned quotations fill the block" in idle
    assert f'data-action="release" data-quote="{pins[3].pk}"' in idle
    Quote.objects.filter(pk=pins[0].pk).update(published=False)
    assert "It is not public." in editor.get(address(millers)).content.decode()


def test_the_change_page_holds_the_panel(millers: Article, editor: Client) -> None:
    page = editor.get(f"/admin/articles/article/{millers.pk}/change/").content.decode()
    assert "Words of the heading" in page
    assert "Famous quotes containing the word millers:" in page


def test_the_panel_makes_a_fixed_number_of_queries(
    millers: Article, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for number in range(100):
        quote(f"Millers, number {number} of them.")
    panel_of(millers, {"quotation_search": "millers"})
    with django_assert_max_num_queries(60):  # type: ignore[attr-defined]
        panel_of(millers, {"quotation_search": "millers"})


def test_the_report_lists_pages_without_a_quotation_and_quotations_never_shown(editor: Client) -> None:
    lonely = Article.objects.create(title="Xyzzy", slug="xyzzy", published=True)
    quiet = Article.objects.create(title="Plugh", slug="plugh", published=True, quotations="none")
    unused = quote("Qwerty uiop asdfgh jkl.")
    page = editor.get("/admin/articles/article/coverage/").content.decode()
    assert f"/admin/articles/article/{lonely.pk}/change/" in page
    assert f"/admin/articles/article/{quiet.pk}/change/" not in page
    coverage = quotation_panel.quotation_coverage(timezone.now())
    assert unused in coverage.never_shown or coverage.never_shown_count > len(coverage.never_shown)
    assert lonely in coverage.unanswered
