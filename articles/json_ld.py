from collections import Counter
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.safestring import SafeString

from articles.citing import people_in_line
from articles.facts import facts_of, read_place
from rlm_site.publishing.visibility import public_since
from rlm_site.text.json_ld import absolute, breadcrumbs, render_script, web_page

if TYPE_CHECKING:
    from articles.models import Article, Version


# What an entry is about, in the vocabulary of schema.org, and which of its dates that has a name for.
TYPES = {"person": "Person", "place": "Place", "formation": "Organization", "document": "CreativeWork"}
DATES = {
    "born": "birthDate",
    "died": "deathDate",
    "founded": "foundingDate",
    "ended": "dissolutionDate",
    "date": "dateCreated",
}


def about_json_ld(entry: "Article") -> dict[str, object]:
    """Describe what an entry is about; empty where the vocabulary has no plain word for it.

    A date is left out where it is a range, or where sources give several.
    """
    if entry.kind not in TYPES:
        return {}
    described: dict[str, object] = {"@type": TYPES[entry.kind], "name": entry.title}
    if names := [row["name"] for row in entry.aliases]:
        described["alternateName"] = names
    given = list(facts_of(entry.kind, entry.facts))
    times = Counter(fact.type.key for fact in given)
    for fact in given:
        dates = fact.dates
        if dates and fact.type.key in DATES and times[fact.type.key] == 1 and dates.first == dates.last:
            described[DATES[fact.type.key]] = dates.first.iso
        if fact.type.key == "coordinates" and (place := read_place(fact.row["value"])):
            described["geo"] = {"@type": "GeoCoordinates", "latitude": place.latitude, "longitude": place.longitude}
    return described


def _authors(row: "Article") -> list[dict[str, str]]:
    """Return who wrote the article, as far as it says so."""
    return [
        {"@type": "Person" if name.given else "Organization", "name": name.plain}
        for name in people_in_line(row.byline).names
    ]


def article_json_ld(row: "Article", topic: "Article", version: "Version | None" = None) -> SafeString:
    path, published = row.get_absolute_url(), public_since(row)
    changed = version.since if version else getattr(row, "changed_at", None) or row.updated
    page = web_page(path, published, changed)
    site = {"@type": "Organization", "name": settings.SITE_NAME, "url": absolute("/")}
    crumbs = [(settings.SITE_NAME, "/"), (topic.title, topic.get_absolute_url())]
    if row.parent_id:
        crumbs.append((row.title, path))
    return render_script(
        {
            "@type": "Article",
            "headline": row.full_title,
            "inLanguage": settings.SITE_LANGUAGE,
            "url": absolute(path),
            "mainEntityOfPage": page,
            "author": _authors(row) or site,
            "datePublished": page["datePublished"],
            "dateModified": page["dateModified"],
            **({"version": str(version.number)} if version else {}),
            **({"license": settings.LICENCE_URL} if settings.LICENCE_URL else {}),
            "publisher": site,
            **({"about": about} if not row.parent_id and (about := about_json_ld(row)) else {}),
            **(
                {"isPartOf": {"@type": "Article", "headline": topic.title, "url": absolute(topic.get_absolute_url())}}
                if row.parent_id
                else {}
            ),
        },
        breadcrumbs(crumbs),
    )
