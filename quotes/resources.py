"""People and quotations as rows of files."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.widgets import Widget

from quotes.duplicates import duplicates_within
from quotes.models import Person, Quote, Work
from rlm_site.editor.importing import ContentResource, NameList, OtherRow, Rows, TagNames, Text, Year, YesNo, is_empty
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.publishing import permissions
from rlm_site.text.slugs import slug_for


class PersonResource(ContentResource):
    natural_key = "slug"
    explained = {
        "slug": gettext_lazy("The address: /people/…/. Empty: a new person, whose slug is made of the name."),
        "aliases": gettext_lazy("Other names, with semicolons between them. In JSON a list."),
    }
    aliases = Field("aliases", "aliases", NameList())

    class Meta(ContentResource.Meta):
        model = Person
        fields = (
            "slug", "kind", "name", "sort_name", "description", "born", "born_circa", "died", "died_circa",
            "living_checked_on", "aliases",
        )  # fmt: skip

    def complete(self, instance: Any) -> None:
        self.has_slug = bool(instance.slug)
        if not self.has_slug:
            instance.slug = slug_for(instance.name, lambda slug: Person.objects.filter(slug=slug).exists())

    def problems(self, instance: Any) -> dict[str, str]:
        if self.has_slug or not instance.name:
            return {}
        known = Person.objects.filter(name=instance.name).first()
        if known is None:
            return {}
        told = _("There is a %(name)s already; give the slug, “%(slug)s” or another.")
        return {"slug": told % {"name": known.name, "slug": known.slug}}


class WorkNamed(Widget):
    """A work by its title, and by its authors and year where the file has columns for them."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column
        self.titled: dict[str, list[Work]] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Work | None:
        title = Text().clean(value)
        given: dict[str, Any] = {}
        if f"{self.column}_authors" in row:
            given["authors"] = Text().clean(row[f"{self.column}_authors"])
        if f"{self.column}_year" in row:
            given["year"] = Year().clean(row[f"{self.column}_year"])
        if not title:
            if any(not is_empty(value) for value in given.values()):
                raise ValueError(_("Its authors or its year are given, but not its title."))
            return None
        if title not in self.titled:
            self.titled[title] = list(Work.objects.filter(title=title))
        found = [work for work in self.titled[title] if all(getattr(work, name) == given[name] for name in given)]
        if not found:
            named = ", ".join(str(value) for value in (title, *given.values()) if not is_empty(value))
            raise ValueError(_("There is no work “%(named)s”. Add it first.") % {"named": named})
        if len(found) > 1:
            told = _("There are %(count)d works of this title; name authors and year in columns of their own.")
            raise ValueError(told % {"count": len(found)})
        return found[0]

    def render(self, value: Any, **kwargs: Any) -> str:
        return value.title if value else ""


class Tags(Field):
    """Drafted with the words of the quotation, and written with them."""

    def get_value(self, instance: Any) -> list[str]:
        drafted: list[str] | None = getattr(instance, "drafted_tags", None)
        return sorted(item.tag.name for item in instance.tagged_items.all()) if drafted is None else drafted

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        instance.drafted_tags = self.clean(row, **kwargs)


class Published(Field):
    """Not a field to draft: it asks for publication, which is an act of its own."""

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        if not is_empty(row[self.column_name]):
            instance.asked_to_be_public = self.clean(row, **kwargs)


class QuoteResource(ContentResource):
    """A public quotation changes for readers only where somebody imports who may publish; else it gets a draft."""

    natural_key = "key"
    command = "import_quotes"
    explained = {
        "key": gettext_lazy("Key. Empty: a new quotation, which gets a key of its own."),
        "published": gettext_lazy("“yes” asks for publication; whoever may not publish gets a draft."),
        "person": gettext_lazy("Slug of the person. Empty: anonymous."),
        "work": gettext_lazy("Title of the primary source. The work must be there."),
        "work_authors": gettext_lazy("Its authors as printed, where several works have this title."),
        "work_year": gettext_lazy("Its year, where several works have this title."),
        "quoted_in": gettext_lazy("Title of the later work in which it was found."),
        "quoted_in_authors": gettext_lazy("Its authors as printed, where several works have this title."),
        "quoted_in_year": gettext_lazy("Its year, where several works have this title."),
        "true_source": gettext_lazy("Key of the quotation that a misattributed one really is."),
        "version_of": gettext_lazy("Key of the quotation of which this is another wording."),
        "tags": gettext_lazy("Names with commas between them; quotes keep a comma inside one. In JSON a list."),
    }
    published = Published("published", "published", YesNo())
    person = Field("person", "person", OtherRow(Person, "slug"))
    work = Field("work", "work", WorkNamed("work"))
    work_authors = Field("work__authors", "work_authors", Text(), readonly=True)
    work_year = Field("work__year", "work_year", Year(), readonly=True)
    quoted_in = Field("quoted_in", "quoted_in", WorkNamed("quoted_in"))
    quoted_in_authors = Field("quoted_in__authors", "quoted_in_authors", Text(), readonly=True)
    quoted_in_year = Field("quoted_in__year", "quoted_in_year", Year(), readonly=True)
    true_source = Field("true_source", "true_source", OtherRow(Quote, "key"))
    version_of = Field("version_of", "version_of", OtherRow(Quote, "key"))
    tags = Tags("tags", "tags", TagNames())

    class Meta(ContentResource.Meta):
        model = Quote
        fields = (
            "key", "published", "text", "language", "person", "name_as_printed", "work", "work_authors", "work_year",
            "locator", "locator_as_printed", "quoted_in", "quoted_in_authors", "quoted_in_year", "quoted_in_locator",
            "year_said", "original_text", "original_language", "translator", "status", "true_source", "version_of",
            "auto_pick", "attribution_as_imported", "tags",
        )  # fmt: skip

    def __init__(self, user: Any) -> None:
        super().__init__(user)
        # nobody passes by whoever has to look at it
        self.can_publish = permissions.can_publish(user, Quote) and not settings.REVIEW_BY_ANOTHER
        self.drafts: dict[int, Revision] = {}
        self.twins: dict[int, str] = {}  # number of a row -> what is the same quotation
        self.number = 0

    def content(self, instance: Any) -> dict[str, Any]:
        return revisions.content_of(instance)

    def init_instance(self, row: Any = None) -> Quote:
        """The site picks what somebody has looked at: not what a file brings, unless it says so."""
        quote = Quote(auto_pick=False, owner=self.user)
        quote.drafted_tags = []  # type: ignore[attr-defined]
        return quote

    # What is there

    def load(self, rows: Rows, *, lock: bool = False) -> None:
        super().load(rows, lock=lock)
        new = [
            (number, row["text"])
            for number, row in enumerate(self.dataset.dict, 1)
            if isinstance(row.get("text"), str) and self.identity(row) not in self.stored
        ]
        for twin in duplicates_within([text for _number, text in new]):
            if twin.earlier is None:
                told = _("the stored one with the key %(key)s") % {"key": Quote.objects.get(pk=twin.quote_id).key}
            else:
                told = _("line %(line)d") % {"line": self.lines[new[twin.earlier][0] - 1]}
            self.twins.setdefault(new[twin.place][0], told)

    def find(self, stored: QuerySet[Any], identities: set[str]) -> dict[str, Any]:
        return super().find(stored.prefetch_related("tagged_items__tag", "checks"), identities)

    def prepared(self, found: dict[str, Any]) -> dict[str, Any]:
        """With their drafts laid over them: a row changes what its editors see."""
        ids = [quote.pk for quote in found.values()]
        drafts = revisions.working_copies(Quote).filter(object_id__in=ids).select_related("author")
        self.drafts = {draft.object_id: draft for draft in drafts}
        prepared = {}
        for key, quote in found.items():
            quote.drafted_tags = sorted(item.tag.name for item in quote.tagged_items.all())
            draft = self.drafts.get(quote.pk)
            prepared[key] = revisions.overlay(quote, draft) if draft and quote.published else quote
        return prepared

    # What becomes of a row

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self.number = kwargs["row_number"]
        super().before_import_row(row, **kwargs)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        asks_for_another_state = instance.published != getattr(instance, "asked_to_be_public", instance.published)
        if asks_for_another_state and (instance.published or self.can_publish):
            return False
        return super().skip_row(instance, original, row, import_validation_errors)

    def problems(self, instance: Any) -> dict[str, str]:
        problems = {}
        is_new = instance._state.adding
        if instance.published and getattr(instance, "asked_to_be_public", None) is False:
            problems["published"] = _("It is public. Retire it on its own page.")
        if instance.status == Quote.Status.VERIFIED and (is_new or not instance.checks.all()):
            problems["status"] = _("A verified quotation needs evidence, which is written on its own page.")
        if instance.published and self.can_publish and (draft := self.drafts.get(instance.pk)):
            told = _("%(name)s has a draft of it that is not published. Publish or discard it first.")
            problems["key"] = told % {"name": draft.author or _("Somebody")}
        if is_new and not instance.version_of and not instance.true_source and (twin := self.twins.get(self.number)):
            told = _("It is the same quotation as %(twin)s. Give that key, or name it as version_of.")
            problems["text"] = told % {"twin": twin}
        return problems

    def _publishes(self, instance: Any) -> bool:
        asked: bool = getattr(instance, "asked_to_be_public", False)
        return self.can_publish and (instance.published or asked)

    def write(self, instance: Any, is_new: bool) -> None:
        content = revisions.content_of(instance)
        publishes = self._publishes(instance)
        row = instance if is_new else Quote.objects.get(pk=instance.pk)
        if not is_new:
            revisions.record_external_changes(row)
        comment = _("Imported from %(file)s.") % {"file": self.imported}
        save = revisions.publish if publishes else revisions.save_draft
        save(row, content, author=self.user, comment=comment, imported=self.imported)

    def outcome(self, instance: Any, is_new: bool) -> str:
        if self._publishes(instance):
            return _("Readers see it at once.")
        if instance.published:
            return _("Readers see the published text until somebody publishes the draft.")
        return _("Readers cannot see it: it is a draft.")
