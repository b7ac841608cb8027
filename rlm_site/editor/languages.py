"""Languages by their names, where editors choose one."""

from typing import Any

from django import forms
from django.conf.locale import LANG_INFO
from django.utils.translation import gettext

# Of sources, beyond those that Django knows the names of
_OF_SOURCES = {
    "ab": "Abkhaz", "ang": "Old English", "av": "Avar", "ba": "Bashkir", "ce": "Chechen", "crh": "Crimean Tatar",
    "csb": "Kashubian", "cu": "Church Slavonic", "cv": "Chuvash", "fo": "Faroese", "fro": "Old French",
    "gmh": "Middle High German", "grc": "Ancient Greek", "inh": "Ingush", "kbd": "Kabardian", "kv": "Komi",
    "la": "Latin", "lez": "Lezgian", "mt": "Maltese", "non": "Old Norse", "orv": "Old East Slavic",
    "ota": "Ottoman Turkish", "rue": "Rusyn",
    "sa": "Sanskrit", "syc": "Classical Syriac", "xal": "Kalmyk", "yi": "Yiddish", "zh": "Chinese",
}  # fmt: skip
NAMES = {code: info["name"] for code, info in LANG_INFO.items() if "name" in info} | _OF_SOURCES


def name_of(tag: str) -> str:
    """Return the name of a language, or its tag where it has none here."""
    return gettext(NAMES[tag]) if tag in NAMES else tag


class LanguageSelect(forms.Select):
    """Offers languages by name. Another one that is there already stays."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        chosen = [str(tag) for tag in value if tag]
        named = sorted((name_of(tag), tag) for tag in {*NAMES, *chosen})
        empty = [] if self.is_required else [("", "")]
        self.choices = [*empty, *((tag, language) for language, tag in named)]
        return super().optgroups(name, value, attrs)
