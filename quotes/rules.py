"""What the database refuses of people and quotations beyond what their fields say, in SQL."""

OF_PEOPLE = ((("born", "died"), "{row}.died < {row}.born", "the year of death is before the year of birth."),)
OF_QUOTES = (
    (
        ("true_source_id", "version_of_id"),
        "{row}.id IN ({row}.true_source_id, {row}.version_of_id)",
        "a quotation cannot be its own source or another version of itself.",
    ),
    (
        ("status", "person_id"),
        "{row}.status = 'misattributed' AND {row}.person_id IS NULL",
        "a misattributed quotation needs the person that it is wrongly attributed to.",
    ),
)
