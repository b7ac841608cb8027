"""What the database refuses of tags beyond what their fields say, in SQL."""

OF_TAGS = (
    (
        ("brings_quotations", "advises_silence"),
        "{row}.brings_quotations AND {row}.advises_silence",
        "a tag cannot both supply quotations and advise silence; choose one of the two.",
    ),
)
