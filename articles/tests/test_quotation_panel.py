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
from rlm_site.history.models import Revision
from rlm_site.tests.editor import filled, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def allies() -> Article:
    return Article.objects.select_related("parent").get(slug="the-allies")


@pytest.fixture
def editor() -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.create_superuser("editor"))
    return client


def quote(text: str, **fields: object) -> Quote:
    return Quote.objects.create(text=text, **{"published": True, "status": "reported", **fields})


def shown(article: Article, **form: str) -> list[str]:
    panel = quotation_panel.build_panel(
        Article.objects.select_related("parent").get(pk=article.pk), form, timezone.now()
    )
    return [pick.quote.key for pick in panel.explanation.block.picks]


def kept_out(article: Article, wanted: Quote) -> str:
    row = Article.objects.select_related("parent").get(pk=article.pk)
    panel = quotation_panel.build_panel(row, {"quotation_search": wanted.key}, timezone.now())
    return next(found.kept_out for found in panel.found if found.quote == wanted)


def test_words_are_reported_with_what_is_ignored_and_how_often_each_form_stands(allies: Article) -> None:
    words = quotation_panel.build_panel(allies, {}, timezone.now()).explanation.words
    assert [(word.text, word.ignored) for word in words] == [("The", "function word"), ("Allies", "")]
    forms = dict(words[1].forms)
    assert forms["allies"] == QuoteWord.objects.filter(word__text="allies", contained=True).count()
    assert "ally" in forms


def test_the_panel_shows_what_the_page_shows(allies: Article, client: Client) -> None:
    page = client.get("/russian-liberation-movement/the-allies/").content.decode()
    panel = quotation_panel.build_panel(allies, {}, timezone.now())
    assert panel.explanation.block.line in page
    for pick in panel.explanation.block.picks:
        assert pick.quote.get_absolute_url() in page
        assert pick.total > 0
    assert not panel.differs


def test_the_effect_of_a_heading_is_shown_before_it_is_saved(allies: Article) -> None:
    panel = quotation_panel.build_panel(allies, {"title": "Peace and War"}, timezone.now())
    assert panel.differs
    assert panel.explanation.block.line.startswith("Famous quotes containing the word")
    assert "allies" not in panel.explanation.block.line
    assert Article.objects.get(pk=allies.pk).title == "The Allies"


def test_ten_runners_up_with_their_scores() -> None:
    article = Article.objects.create(title="Wombats", slug="wombats", published=True)
    for number in range(20):
        quote(
            f"The wombats of burrow {number} sleep.", person=Person.objects.create(name=str(number), slug=f"p{number}")
        )
    explanation = quotation_panel.build_panel(article, {}, timezone.now()).explanation
    assert len(explanation.block.picks) == 3
    assert len(explanation.runners_up) == 10
    totals = [pick.total for pick in explanation.runners_up]
    assert totals == sorted(totals, reverse=True)


def test_pin_ban_swap_order_release_and_veto(allies: Article) -> None:
    first = shown(allies)
    by_key = {row.key: row for row in Quote.objects.filter(key__in=first)}
    quotation_panel.apply_action(allies, "ban", by_key[first[0]])
    assert first[0] not in shown(allies)
    quotation_panel.apply_action(allies, "release", by_key[first[0]])
    assert shown(allies) == first
    quotation_panel.apply_action(allies, "pin", by_key[first[2]])
    quotation_panel.apply_action(allies, "pin", by_key[first[1]])
    assert shown(allies)[:2] == [first[2], first[1]]
    quotation_panel.apply_action(allies, "up", by_key[first[1]])
    assert shown(allies)[:2] == [first[1], first[2]]
    other = quote("These allies came late to the field.")
    quotation_panel.apply_action(allies, "swap", other, instead_of=by_key[first[2]])
    assert other.key in shown(allies)
    assert first[2] not in shown(allies)
    quotation_panel.apply_action(allies, "veto", by_key[first[0]], word="allies")
    assert first[0] not in shown(allies)
    assert IndexTerm.objects.get(quote=by_key[first[0]]).veto


def test_a_heading_that_changes_keeps_its_pins_and_flags_them(allies: Article) -> None:
    pin = Quote.objects.get(key="sontag-liberal-intellectuals")
    quotation_panel.apply_action(allies, "pin", pin)
    Article.objects.filter(pk=allies.pk).update(title="The Powers of the West")
    row = Article.objects.select_related("parent").get(pk=allies.pk)
    explanation = quotation_panel.build_panel(row, {}, timezone.now()).explanation
    assert pin.key in [pick.quote.key for pick in explanation.block.picks]
    Article.objects.filter(pk=allies.pk).update(title="Xyzzy")
    row.refresh_from_db()
    assert quotation_panel.build_panel(row, {}, timezone.now()).explanation.stale_pins == {pin.pk}


def test_every_reason_that_keeps_a_quotation_out_is_told(allies: Article) -> None:
    now = timezone.now()
    banned = quote("Allies are banned here, they say.")
    quotation_panel.apply_action(allies, "ban", banned)
    person = Person.objects.get(slug="susan-sontag")
    cases = {
        banned: "banned",
        quote("Allies of the draft kind.", published=False): "not public",
        quote("Allies of next week.", publish_at=now + timedelta(days=7)): "not public",
        quote("Allies of doubt, said who.", status="disputed"): "status is “disputed”",
        quote("Allies of error, said he.", status="misattributed", person=person): "misattributed",
        quote("Allies kept by hand, as told.", auto_pick=False): "is off",
        quote("Nothing of the kind at all."): "contains no word",
        quote("One ally is enough for me."): "by a better rule",
        quote("Allies, and once more allies.", person=person): "of Susan Sontag is shown",
        Quote.objects.get(key="sontag-liberal-intellectuals"): "It is shown",
    }
    for row, words in cases.items():
        assert words in kept_out(allies, row), row.text


def test_a_page_of_chosen_ones_says_so(allies: Article) -> None:
    Article.objects.filter(pk=allies.pk).update(quotations="none")
    assert "chosen quotations only" in kept_out(allies, Quote.objects.get(key="sontag-liberal-intellectuals"))


@pytest.mark.parametrize(
    ("action", "options"),
    [("dance", {}), ("swap", {}), ("up", {}), ("veto", {"word": "zebra"}), ("veto", {"word": ""})],
)
def test_a_choice_that_makes_no_sense_is_refused_and_changes_nothing(
    allies: Article, action: str, options: dict[str, str]
) -> None:
    before = (QuoteChoice.objects.count(), IndexTerm.objects.count())
    with pytest.raises(ValidationError):
        quotation_panel.apply_action(allies, action, Quote.objects.get(key="sontag-liberal-intellectuals"), **options)  # type: ignore[arg-type]
    assert (QuoteChoice.objects.count(), IndexTerm.objects.count()) == before


def address(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/quotations/"


def test_a_pin_from_the_panel_is_on_the_page_at_once(allies: Article, editor: Client, client: Client) -> None:
    pin = quote("Something else altogether.")
    form = {"title": "The Allies, unsaved", "action": "pin", "quote": pin.pk}
    answer = editor.post(address(allies), form)
    assert answer.status_code == 200
    assert "Something else altogether." in answer.content.decode()
    page = client.get("/russian-liberation-movement/the-allies/").content.decode()
    assert "Famous quotes chosen for this page:" in page
    assert "Something else altogether." in page
    assert Article.objects.get(pk=allies.pk).title == "The Allies"


def test_a_refused_choice_says_why(allies: Article, editor: Client) -> None:
    answer = editor.post(address(allies), {"action": "up", "quote": Quote.objects.all()[0].pk})
    assert answer.status_code == 400
    assert "Pin it first." in answer.content.decode()


@pytest.mark.parametrize("quote_id", ["", "x", "99999999999999999999", "0"])
def test_a_choice_of_no_quotation_is_refused(allies: Article, editor: Client, quote_id: str) -> None:
    assert editor.post(address(allies), {"action": "pin", "quote": quote_id}).status_code == 400


def test_only_those_who_may_change_the_article_may_choose(allies: Article) -> None:
    before = QuoteChoice.objects.count()
    staff = Client(HTTP_HOST="127.0.0.1")
    staff.force_login(User.objects.create_user("looker", is_staff=True))
    form = {"action": "pin", "quote": Quote.objects.all()[0].pk}
    assert staff.post(address(allies), form).status_code == 403
    assert Client(HTTP_HOST="127.0.0.1").post(address(allies), form).status_code == 302
    assert QuoteChoice.objects.count() == before


def acts_on(row: Article | Quote) -> list[Revision]:
    return list(revisions.history_of(row).filter(act=Revision.Act.CHOICES).order_by("number"))


def test_each_choice_stands_in_the_history_with_its_reason(allies: Article, editor: Client) -> None:
    pin = quote("Something else altogether.")
    editor.post(address(allies), {"action": "pin", "quote": pin.pk, "reason": "It fits."})
    editor.post(address(allies), {"action": "release", "quote": pin.pk})
    pinned, released = acts_on(allies)
    assert pinned.comment == "Pinned. “Something else altogether.” It fits."
    assert (pinned.state, pinned.kind, str(pinned.author)) == ("published", "none", "editor")
    assert "It fits." in str(pinned.standing)
    assert "It fits." not in str(released.standing)


def test_a_choice_leaves_a_draft_of_the_text_alone(allies: Article, editor: Client, client: Client) -> None:
    draft = revisions.save_draft(allies, revisions.content_of(allies) | {"body": "Zorblax, drafted."})
    answer = editor.post(address(allies), {"action": "pin", "quote": quote("Something else altogether.").pk})
    assert "With the form as it stands" not in answer.content.decode()
    assert revisions.working_copy(allies) == draft
    assert "Zorblax" not in client.get("/russian-liberation-movement/the-allies/").content.decode()
    assert "Zorblax" not in str(acts_on(allies)[0].content)
    page = editor.get(f"/admin/articles/article/{allies.pk}/change/").content.decode()
    assert "Zorblax, drafted." in page


def test_a_veto_stands_in_the_history_of_the_quotation_too(allies: Article, editor: Client) -> None:
    sontag = Quote.objects.get(key="sontag-liberal-intellectuals")
    form = {"action": "veto", "quote": sontag.pk, "word": "allies", "reason": "Another sense."}
    assert editor.post(address(allies), form).status_code == 200
    assert acts_on(sontag)[0].comment == acts_on(allies)[0].comment
    assert acts_on(sontag)[0].comment.endswith("Another sense.")


def test_a_refused_choice_leaves_no_trace(allies: Article, editor: Client) -> None:
    editor.post(address(allies), {"action": "up", "quote": Quote.objects.all()[0].pk})
    assert acts_on(allies) == []


def test_on_a_public_page_only_a_publisher_chooses(allies: Article) -> None:
    someone = signed_in("someone", "view_article", "add_article", "change_article", "change_quote")
    before = QuoteChoice.objects.count(), IndexTerm.objects.count(), Revision.objects.count()
    sontag = Quote.objects.get(key="sontag-liberal-intellectuals")
    for action in ("pin", "ban", "release", "swap", "up", "down", "veto"):
        form = {"action": action, "quote": sontag.pk, "instead_of": sontag.pk, "word": "allies"}
        assert someone.post(address(allies), form).status_code == 403
    assert (QuoteChoice.objects.count(), IndexTerm.objects.count(), Revision.objects.count()) == before
    panel = someone.post(address(allies), {"title": "Peace"}).content.decode()
    assert "a publisher chooses its quotations" in panel
    assert 'data-act="pin"' not in panel
    assert 'data-act="ban"' not in panel
    Article.objects.filter(pk=allies.pk).update(published=False)
    assert someone.post(address(allies), {"action": "ban", "quote": sontag.pk}).status_code == 200


def test_a_word_is_banned_everywhere_only_by_whoever_publishes_quotations(allies: Article) -> None:
    someone = signed_in("someone", "view_article", "add_article", "change_article", "publish_article")
    sontag = Quote.objects.get(key="sontag-liberal-intellectuals")
    form = {"action": "veto", "quote": sontag.pk, "word": "allies"}
    assert someone.post(address(allies), form).status_code == 403
    assert someone.post(address(allies), {**form, "action": "ban"}).status_code == 200
    assert not IndexTerm.objects.filter(quote=sontag, veto=True).exists()


def test_two_who_choose_at_the_same_time_lose_nothing_of_each_other(allies: Article, editor: Client) -> None:
    first, second = quote("Something else altogether."), quote("And another thing.")
    other = signed_in("other")
    form = editor.get(f"/admin/articles/article/{allies.pk}/change/")
    editor.post(address(allies), {"action": "pin", "quote": first.pk})
    other.post(address(allies), {"action": "pin", "quote": second.pk})
    editor.post(address(allies), {"action": "up", "quote": second.pk})
    pins = allies.quote_choices.filter(action="pin").order_by("position").values_list("quote", flat=True)
    assert list(pins) == [second.pk, first.pk]
    # a form that was opened before all that takes none of it back
    saved = editor.post(f"/admin/articles/article/{allies.pk}/change/", filled(form, body="Written meanwhile."))
    assert saved.status_code == 302
    assert list(pins.all()) == [second.pk, first.pk]


def test_a_pin_that_does_not_come_to_be_shown_says_why_and_can_be_taken_off(allies: Article, editor: Client) -> None:
    pins = [quote(f"Pin number {number} of them.") for number in range(4)]
    for pin in pins:
        editor.post(address(allies), {"action": "pin", "quote": pin.pk, "reason": f"Reason {pin.pk}."})
    panel = editor.get(address(allies)).content.decode()
    shown, idle = panel.split("Pinned, and not shown")
    assert "Pin number 2" in shown
    assert f"Reason {pins[2].pk}." in shown
    assert "Pin number 3" in idle
    assert f"Reason {pins[3].pk}." in idle
    assert "3 pins before it fill the block" in idle
    assert f'data-act="release" data-quote="{pins[3].pk}"' in idle
    Quote.objects.filter(pk=pins[0].pk).update(published=False)
    assert "It is not public now." in editor.get(address(allies)).content.decode()


def test_the_change_page_holds_the_panel(allies: Article, editor: Client) -> None:
    page = editor.get(f"/admin/articles/article/{allies.pk}/change/").content.decode()
    assert "Words of the heading" in page
    assert "Famous quotes containing the word allies:" in page


def test_the_panel_makes_a_fixed_number_of_queries(
    allies: Article, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for number in range(100):
        quote(f"Allies, number {number} of them.")
    quotation_panel.build_panel(allies, {"quotation_search": "allies"}, timezone.now())
    with django_assert_max_num_queries(60):  # type: ignore[attr-defined]
        quotation_panel.build_panel(allies, {"quotation_search": "allies"}, timezone.now())


def test_the_report_lists_pages_without_a_quotation_and_quotations_never_shown(editor: Client) -> None:
    lonely = Article.objects.create(title="Xyzzy", slug="xyzzy", published=True)
    quiet = Article.objects.create(title="Plugh", slug="plugh", published=True, quotations="none")
    unused = quote("Qwerty uiop asdfgh jkl.")
    page = editor.get("/admin/articles/article/coverage/").content.decode()
    assert f"/admin/articles/article/{lonely.pk}/change/" in page
    assert f"/admin/articles/article/{quiet.pk}/change/" not in page
    coverage = quotation_panel.quotation_coverage(timezone.now(), "")
    assert unused in coverage.never_shown or coverage.never_shown_count > len(coverage.never_shown)
    assert lonely in coverage.unanswered
