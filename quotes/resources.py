"""Import and export resources for people and quotations."""

from copy import copy
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.widgets import Widget

from quotes.duplicates import duplicates_within
from quotes.models import Collection, Person, Quote, Work
from quotes.pickability import pickability
from rlm_site.editor.importing import (
    ContentResource,
    NameList,
    OtherRow,
    Rows,
    TagNames,
    Text,
    UnreadableError,
    Year,
    YesNo,
    is_empty,
)
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import Revision
from rlm_site.publishing import permissions
from rlm_site.text.limits import MAX_PASSAGE
from rlm_site.text.slugs import slug_for


class PersonResource(ContentResource):
    natural_key = "slug"
    explained = {
        "slug": gettext_lazy(
            "The address is /quotes/people/…/. Leave empty for a new person, whose slug is then made from the name."
        ),
        "aliases": gettext_lazy("Other names, separated by semicolons. In JSON, a list."),
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
        message = _("%(name)s already exists. Give the slug “%(slug)s”, or a new slug for another person.")
        return {"slug": message % {"name": known.name, "slug": known.slug}}


class WorkNamed(Widget):
    """A work by its title, and by its authors and year where the file has columns for them."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column
        self.by_title: dict[str, list[Work]] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Work | None:
        title = Text().clean(value)
        columns: dict[str, Any] = {}
        if f"{self.column}_authors" in row:
            columns["authors"] = Text().clean(row[f"{self.column}_authors"])
        if f"{self.column}_year" in row:
            columns["year"] = Year().clean(row[f"{self.column}_year"])
        if not title:
            if any(not is_empty(value) for value in columns.values()):
                raise ValueError(_("The authors or the year are given, but not the title. Add the title."))
            return None
        if title not in self.by_title:
            self.by_title[title] = list(Work.objects.filter(title=title))
        found = [
            work
            for work in self.by_title[title]
            if all(getattr(work, name) == value for name, value in columns.items())
        ]
        if not found:
            description = ", ".join(str(value) for value in (title, *columns.values()) if not is_empty(value))
            raise ValueError(_("There is no work “%(named)s”. Add it first.") % {"named": description})
        if len(found) > 1:
            message = _("%(count)d works have this title. Give the authors and the year in their own columns.")
            raise ValueError(message % {"count": len(found)})
        return found[0]

    def render(self, value: Any, **kwargs: Any) -> str:
        return value.title if value else ""


class Tags(Field):
    """Tags, which are drafted and saved together with the text."""

    def get_value(self, instance: Any) -> list[str]:
        drafted: list[str] | None = getattr(instance, "imported_tags", None)
        return sorted(item.tag.name for item in instance.tagged_items.all()) if drafted is None else drafted

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        instance.imported_tags = self.clean(row, **kwargs)


class Published(Field):
    """A request to publish the row, which is a transition and not a drafted field."""

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        if not is_empty(row[self.column_name]):
            instance.asked_to_be_public = self.clean(row, **kwargs)


class NoCollectionError(UnreadableError):
    """It is not known to which collection the rows belong."""

    field = "collection"


MOST_LINES_NAMED = 20
NEW_COLLECTION = ("name", "source", "url", "licence", "register", "pick_policy", "trust")


class QuoteResource(ContentResource):
    """Quotations. Public ones change at once only if the user may publish; otherwise the file creates drafts.

    The options are those of `CollectionUploadForm`: an import belongs to one collection, or its rows name theirs.
    """

    natural_key = "key"
    command = "import_quotes"
    explained = {
        "key": gettext_lazy("Key. Leave empty for a new quotation, which is then given a key."),
        "published": gettext_lazy("“yes” publishes the quotation. Without permission to publish, it becomes a draft."),
        "person": gettext_lazy("Slug of the person. Leave empty if anonymous."),
        "work": gettext_lazy("Title of the primary source. The work must already exist."),
        "work_authors": gettext_lazy("Its authors as printed, if several works have this title."),
        "work_year": gettext_lazy("Its year, if several works have this title."),
        "quoted_in": gettext_lazy("Title of the later work in which the quotation was found."),
        "quoted_in_authors": gettext_lazy("Its authors as printed, if several works have this title."),
        "quoted_in_year": gettext_lazy("Its year, if several works have this title."),
        "true_source": gettext_lazy("For a misattributed quotation: the key of the one that it really is."),
        "version_of": gettext_lazy("Key of the quotation of which this is another version."),
        "collection": gettext_lazy("Slug of the collection. Not needed if all rows belong to the one chosen above."),
        "tags": gettext_lazy(
            "Names, separated by commas. Put a name that contains a comma in quotation marks. In JSON, a list."
        ),
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
    collection = Field("collection", "collection", OtherRow(Collection, "slug"))
    tags = Tags("tags", "tags", TagNames())

    class Meta(ContentResource.Meta):
        model = Quote
        fields = (
            "key", "published", "text", "language", "person", "name_as_printed", "work", "work_authors", "work_year",
            "locator", "locator_as_printed", "quoted_in", "quoted_in_authors", "quoted_in_year", "quoted_in_locator",
            "year_said", "original_text", "original_language", "translator", "status", "true_source", "version_of",
            "auto_pick", "attribution_as_imported", "collection", "tags",
        )  # fmt: skip

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # an import must not bypass the review by another person
        self.can_publish = permissions.can_publish(self.user, Quote) and not settings.REVIEW_BY_ANOTHER
        self.collection_of_all: Collection | None = None
        self.left: list[str] = []  # lines about quotations of other collections
        self.named_another = False  # by the row in hand
        self.drafts: dict[int, Revision] = {}
        self.duplicates: dict[int, str] = {}  # row number -> description of the same quotation
        self.number = 0

    def content(self, instance: Any) -> dict[str, Any]:
        return revisions.content_with_tags(instance, instance.imported_tags)

    def init_instance(self, row: Any = None) -> Quote:
        """Return a new quotation, not picked automatically unless the editor or the file says so."""
        quote = Quote(auto_pick=bool(self.options.get("auto_pick")), owner=self.user, collection=self.collection_of_all)
        quote.imported_tags = []  # type: ignore[attr-defined]
        return quote

    # The collection

    def _chosen_collection(self, *, add: bool) -> Collection | None:
        """Return the collection of all rows, or None if each row names its own; add it if it is new."""
        if slug := self.options.get("collection"):
            found = Collection.objects.filter(slug=slug).first()
            if found is None:
                raise NoCollectionError(_("The collection has been deleted. Choose another."))
            return found
        if not self.options.get("name"):
            return None
        if not self.user.has_perm("quotes.add_collection"):
            raise NoCollectionError(_("You may not add collections. Choose one that exists."))
        new = Collection(**{name: self.options[name] for name in NEW_COLLECTION})
        new.clean()
        if add:
            new.save()
        return new

    def _require_collections(self) -> None:
        if self.collection_of_all:
            return
        lines = [
            line
            for line, row in zip(self.lines, self.dataset.dict, strict=True)
            if self.identity(row) not in self.stored and not row.get("collection")
        ]
        if lines:
            told = _(
                "Line %(line)d adds a quotation and names no collection (%(count)d such lines). Choose a collection, "
                "name a new one, or give the file a column “collection”."
            )
            raise NoCollectionError(told % {"count": len(lines), "line": lines[0]})

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Import a row, unless it is about a quotation of another collection than all rows are to belong to."""
        chosen, is_new = self.collection_of_all, instance._state.adding
        if chosen and not is_new and not self._is_chosen(instance) and not self.options.get("take_over"):
            self.left.append(str(self.lines[self.number - 1]))
            return
        try:
            super().import_instance(instance, row, **kwargs)
        finally:
            self.named_another = not is_empty(row.get("collection")) and not self._is_chosen(instance)
            if chosen:
                instance.collection = chosen
            if is_new and is_empty(row.get("status")) and instance.collection:
                instance.status = instance.collection.usual_status

    def _is_chosen(self, quote: Quote) -> bool:
        chosen = self.collection_of_all
        return chosen is None or (chosen.pk is not None and quote.collection_id == chosen.pk)

    def remarks(self, result: Any) -> list[str]:
        found = []
        if self.collection_of_all:
            is_new = not self.options.get("collection")
            told = _("Collection: %(name)s (new).") if is_new else _("Collection: %(name)s.")
            found.append(told % {"name": self.collection_of_all})
        if self.left:
            told = _(
                "About quotations of other collections, which stay as they are (%(count)d): lines %(lines)s. To change "
                "them, choose the file again and tick “Take over”."
            )
            lines = ", ".join(self.left[:MOST_LINES_NAMED]) + ("…" if len(self.left) > MOST_LINES_NAMED else "")
            found.append(told % {"count": len(self.left), "lines": lines})
        written = [row.instance for row in result.rows if not row.is_skip()]
        if written:
            picked = pickability((self._as_it_becomes(quote) for quote in written), timezone.now())
            found.append(str(picked))
            found += [
                f"{_('Not picked: %(count)d.') % {'count': count}} {told}"
                for told, count in picked.obstacles.most_common()
            ]
        return found

    def _as_it_becomes(self, quote: Quote) -> Quote:
        imported = copy(quote)
        imported.published = quote.published or self._publishes(quote)
        return imported

    # Stored quotations

    def load(self, rows: Rows, *, lock: bool = False) -> None:
        self.collection_of_all = self._chosen_collection(add=lock)
        super().load(rows, lock=lock)
        self._require_collections()
        new = [
            (number, row["text"])
            for number, row in enumerate(self.dataset.dict, 1)
            if isinstance(row.get("text"), str) and len(row["text"]) <= MAX_PASSAGE  # it is refused
            if self.identity(row) not in self.stored
        ]
        for duplicate in duplicates_within([text for _number, text in new]):
            if duplicate.earlier is None:
                key = Quote.objects.get(pk=duplicate.quote_id).key
                description = _("the stored one with the key %(key)s") % {"key": key}
            else:
                description = _("line %(line)d") % {"line": self.lines[new[duplicate.earlier][0] - 1]}
            self.duplicates.setdefault(new[duplicate.place][0], description)

    def find(self, stored: QuerySet[Any], identities: set[str]) -> dict[str, Any]:
        with_related = stored.select_related("collection").prefetch_related("tagged_items__tag", "checks")
        return super().find(with_related, identities)

    def prepared(self, found: dict[str, Any]) -> dict[str, Any]:
        """Overlay the stored quotations with their drafts, so that a row changes what editors see."""
        ids = [quote.pk for quote in found.values()]
        drafts = revisions.working_copies(Quote).filter(object_id__in=ids).select_related("author")
        self.drafts = {draft.object_id: draft for draft in drafts}
        prepared = {}
        for key, quote in found.items():
            revision = self.drafts.get(quote.pk)
            tags = sorted(item.tag.name for item in quote.tagged_items.all())
            draft = Draft.at(quote, revision) if revision and quote.published else Draft(quote, tags)
            prepared[key] = draft.row
            prepared[key].imported_tags = draft.tags
        return prepared

    # Importing a row

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        self.number = kwargs["row_number"]
        super().before_import_row(row, **kwargs)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        asks_for_another_state = instance.published != getattr(instance, "asked_to_be_public", instance.published)
        if asks_for_another_state and (instance.published or self.can_publish):
            return False
        return super().skip_row(instance, original, row, import_validation_errors)

    def problems(self, instance: Any) -> dict[str, str]:
        problems: dict[str, str] = {}
        is_new = instance._state.adding
        if self.named_another:
            message = _("The row names another collection than the one chosen, %(name)s. Leave one of them out.")
            problems["collection"] = message % {"name": self.collection_of_all}
        if instance.published and getattr(instance, "asked_to_be_public", None) is False:
            problems["published"] = _("The quotation is public. Unpublish it on its own page.")
        if instance.status == Quote.Status.VERIFIED and (is_new or not instance.checks.all()):
            problems["status"] = _("A verified quotation needs evidence. Add the evidence on its own page.")
        if instance.published and self.can_publish and (draft := self.drafts.get(instance.pk)):
            message = _("%(name)s has an unpublished draft of this quotation. Publish or discard the draft first.")
            problems["key"] = message % {"name": draft.author or _("Somebody")}
        duplicate = self.duplicates.get(self.number)
        if is_new and not instance.version_of and not instance.true_source and duplicate:
            message = _("This is the same quotation as %(twin)s. Give that key, or give it as version_of.")
            problems["text"] = message % {"twin": duplicate}
        return problems

    def _publishes(self, instance: Any) -> bool:
        asked: bool = getattr(instance, "asked_to_be_public", False)
        return self.can_publish and (instance.published or asked)

    def write(self, instance: Any, is_new: bool) -> None:
        content = self.content(instance)
        publishes = self._publishes(instance)
        row = instance if is_new else Quote.objects.get(pk=instance.pk)
        if not is_new:
            revisions.record_external_changes(row)
        comment = _("Imported from %(file)s.") % {"file": self.imported}
        save = revisions.publish if publishes else revisions.save_draft
        save(row, content, author=self.user, comment=comment, imported=self.imported)

    def outcome(self, instance: Any, is_new: bool) -> str:
        if self._publishes(instance):
            return _("Readers will see it at once.")
        if instance.published:
            return _("Readers will see the published text until the draft is published.")
        return _("Readers will not see it, because it is a draft.")
