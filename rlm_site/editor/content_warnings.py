"""Warnings about a text."""

from typing import NamedTuple

from django.utils.functional import Promise


class ContentWarning(NamedTuple):
    """One thing an editor should know before a text is reviewed or published."""

    what: str | Promise  # “No public page for the link”
    where: str = ""  # the words of the text it is about, such as `[[Yarle Valley]]`
