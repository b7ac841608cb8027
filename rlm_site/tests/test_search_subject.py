"""Ask our own content for people, places, formations, documents and terms as readers write them.

What is wanted was written down before the search could find any of it.
"""

from datetime import datetime

import pytest
from django.utils import timezone

from rlm_site.search.query import search

pytestmark = [pytest.mark.content, pytest.mark.django_db]

RIGHT_AT_LEAST = 58

# fmt: off
ASKED = {
    # names
    "vlasov": "/andrey-vlasov/",
    "General Vlasov": "/andrey-vlasov/",
    "andrei vlasov": "/andrey-vlasov/",
    "bunyachenko": "/sergei-bunyachenko/",
    "Bronislav Kaminski": "/bronislav-kaminski/",
    "kaminski brigade": "/kaminski-brigade/",
    "von pannwitz": "/helmuth-von-pannwitz/",
    "pyotr krasnov": "/pyotr-krasnov/",
    "Strik-Strikfeldt": "/wilfried-strik-strikfeldt/",
    "lord aldington": "/lord-aldington/",
    "trukhin": "/fyodor-trukhin/",
    "Patton": "/george-s-patton/",
    # other spellings of them
    "Vlassov": "/andrey-vlasov/",
    "Wlassow": "/andrey-vlasov/",
    "Buniachenko": "/sergei-bunyachenko/",
    "Bunjatschenko": "/sergei-bunyachenko/",
    "Schilenkow": "/georgy-zhilenkov/",
    "Truchin": "/fyodor-trukhin/",
    "Jerebkoff": "/yuri-zherebkov/",
    "Peter Krasnov": "/pyotr-krasnov/",
    "Holmston": "/boris-smyslovsky/",
    "Kaminsky": "/bronislav-kaminski/",
    "koestring": "/ernst-kostring/",
    # Cyrillic
    "Власов": "/andrey-vlasov/",
    "Андрей Власов": "/andrey-vlasov/",
    "Власова": "/andrey-vlasov/",
    "Буняченко": "/sergei-bunyachenko/",
    "Бунаяченко": "/sergei-bunyachenko/",
    "Кононов": "/ivan-kononov/",
    "шкуро": "/andrei-shkuro/",
    "Гиль-Родионов": "/vladimir-gil/",
    "Русская освободительная армия": "/russian-liberation-army/",
    # initialisms
    "ROA": "/russian-liberation-army/",
    "R.O.A.": "/russian-liberation-army/",
    "РОА": "/russian-liberation-army/",
    "KONR": "/committee-for-the-liberation-of-the-peoples-of-russia/",
    "КОНР": "/committee-for-the-liberation-of-the-peoples-of-russia/",
    "RONA": "/kaminski-brigade/",
    "РННА": "/russian-national-peoples-army/",
    "N.K.V.D.": "/glossary/#nkvd",
    # places and terms
    "dabendorf": "/dabendorf/",
    "Lienz": "/lienz/",
    "munsingen": "/munsingen/",
    "Litzmannstadt": "/lodz/",
    "Локоть": "/lokot/",
    "hiwi": "/glossary/#hiwi",
    "Ostarbeiter": "/glossary/#ostarbeiter",
    # documents
    "prague manifesto": "/prague-manifesto/",
    "smolensk appeal": "/smolensk-appeal/",
    "order 270": "/order-no-270/",
    # misspelt
    "vlasof": "/andrey-vlasov/",
    "keelhal": "/operation-keelhaul/",
    "kaminsky brigaed": "/kaminski-brigade/",
    "solzenitsyn": "/aleksandr-solzhenitsyn/",
    # phrases
    "the road home": "/smersh-and-the-trial-of-1946/the-road-home/",
    "yalta agreement": "/yalta-and-the-repatriation-agreements/",
    "prague uprising": "/first-division-and-the-prague-uprising/",
    "soviet prisoners of war": "/soviet-prisoners-of-war/",
    "mcnarney clark directive": "/mcnarney-clark-directive/",
    "death of kaminski": "/kaminski-brigade/death-of-a-commander/",
}
# fmt: on


def first(text: str, now: datetime) -> str:
    """Return the address of what the page offers first: the first result, or that of the spelling it suggests."""
    found = search(text, now)
    if found.suggestion:
        found = search(found.suggestion, now)
    return found.results[0].address if found.results else ""


def test_readers_find_what_they_ask_for() -> None:
    now = timezone.now()
    wrong = {text: (wanted, got) for text, wanted in ASKED.items() if (got := first(text, now)) != wanted}
    assert len(ASKED) == 60
    assert len(ASKED) - len(wrong) >= RIGHT_AT_LEAST, wrong
