"""What the database refuses of articles beyond what their fields say, in SQL."""

from rlm_site.text.slugs import first_level_words


def _is_reserved() -> str:
    words = ", ".join(f"'{word}'" for word in sorted(first_level_words()))
    return f"{{row}}.parent_id IS NULL AND {{row}}.slug IN ({words})"


OF_ARTICLES = (
    (("parent_id",), "{row}.parent_id = {row}.id", "a page cannot be a section of itself."),
    (
        ("parent_id",),
        "{row}.parent_id IS NOT NULL AND (EXISTS (SELECT 1 FROM articles_article topic"
        " WHERE topic.id = {row}.parent_id AND topic.parent_id IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM articles_article section WHERE section.parent_id = {row}.id))",
        "a section has no sections of its own; its parent must be a topic.",
    ),
    (("parent_id", "slug"), _is_reserved, "the slug is reserved for the site itself; choose another."),
)
