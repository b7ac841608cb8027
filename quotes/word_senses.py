"""Whether a text uses a word in the sense of a heading, judged by word lists and neighbouring words. Pure.

Headings consist of nouns and their adjectives. A quotation that *bears* fruit is no match for `The Bear`, `in order to`
none for `Order`, the ides of March none for `The March to Bohemia`. This module decides what grammar can decide; the
rest is left to editors, by vetoes and index terms.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from rlm_site.text.words import AMBIGUOUS_MONTHS, PLURALS, QUALIFIERS, occurrences

# fmt: off
_NOUNS_AND_VERBS = frozenset(
    # The commonest English words that are a noun in a heading and may be a verb in a sentence. `ally` is left out on
    # purpose: the page The Allies has always shown Mrs. Gannett's man who must `ally himself` with no party.
    "abuse act advance age aid aim ambush answer appeal approach arm armour arrest arrow assault attack attempt award "
    "bait balance balm ban bandage bank bar bargain bark barrel base battle bay bear beat bed bellow bench bend bill "
    "bind blame blast blaze blind block bloom blossom blow board boast boat bomb bond border bottle bow branch brand "
    "breach break breath bribe bridge buckle bud bundle burn button cage call camp campaign care cast catch cause "
    "chain challenge chance change channel chapter charge charm chase cheat check cheer circle claim clash cloak close "
    "cloud coach coin colour comb comfort command comment commission compromise concern conduct conflict conquer "
    "contact content contest contract control copy cork cost council count court cover crack craft crash credit crest "
    "crop cross crowd crown crust cry curb curl curse cut dam damage dance dare dart dash date dawn deal debate decay "
    "decline decoy decree defeat defect delay delegate delight demand desert deserve design desire devise die diet "
    "dip discharge dispute distance ditch divide doctor document dog doom doubt draft drain draw dream dress drift "
    "drill drink drive drop drum dust dwell ebb echo eclipse effect elect embrace empty end engine ensign escape "
    "esteem estimate exchange excuse exercise exile exit expel experience exploit express extract eye face fail fall "
    "fancy farm fast fathom favour fear feast feather feature feed fence fetter fiddle fight figure file fill find "
    "finger finish fire fish fit fix flag flame flare flash fleet flock flood flour flow flower fly fold follow foot "
    "force forecast forge fork form fort found frame fringe front gain gallop gamble game garrison gate gather gaze "
    "gift glance glory gossip govern graft grant grasp grave grief grip groan ground group growl guarantee guard "
    "guess guide halt hammer hand handle harbour harm harvest haste hate haul haunt head heal heap heat hedge help "
    "herald herd hide hinge hit hoard hold honour hook hope host house hunger hunt hurry hurt husband image impact "
    "import inch increase influence ink insult interest invite iron issue jail jest jewel joke jolt journey judge "
    "jump keep kick kill kiss knock knot label labour lack lament land lash lather laugh launch lead leap lease leave "
    "lend level levy lie lift light like limit line link list litter live load loan lock look loom lose loss lot love "
    "magnet mail man mantle map march mark market marvel mask match mate matter mean measure meet mention mercy merit "
    "mind mine mint mirror miss mistake mob monitor mould mount mouth move murder mutiny nail name need neglect nest "
    "net nod note notice number nurse object offer officer oil open oppress orbit order ornament outline outrage own "
    "pace pack page pain paint paper parade parallel pardon park part pass patrol pause pawn pay peal pen people "
    "permit petition picture pile pilgrim pillow pilot pinch pine pit pitch pity place plague plan plant play plea "
    "plead pledge plot plough pluck plume plunder pocket point poison police pool porch portion position post pound "
    "power praise pray preach present press prey price pride print prize proceed produce profit progress promise "
    "proof protest prove pulse pump purchase purge purpose push puzzle quarrel quest question race rage raid rain "
    "raise range rank rate rattle reach reason rebel rebuke recall record refuge refuse regard regret reign rein "
    "release remark remedy rent repair reply report reproach request rescue research reserve resolve respect rest "
    "result retreat return revel revenge review revolt reward ride ridge right ring riot rise risk rival roar rob "
    "rock roll roof root rope rot round rout row rub ruin rule run rush sack saddle sail saint sale salute sanction "
    "sand sauce savage scaffold scale scar scatter scent scheme school score scorn scream screen scruple scum seal "
    "search season seat second see seize sense sentence serve set settle shackle shade shadow shame shape share shed "
    "shell shelter shield shift shine ship shock shoot shop shore shoulder shout show shower shriek shroud siege sigh "
    "sight sign signal silence sin sing sink site sketch skin skirmish slander slaughter slave sleep slide slip slope "
    "smile smoke snare snow sob soil sorrow sound source space spade spark speak spear spell spend spice spin spirit "
    "spite split spoil spoon sport spot spread spring spur spy square squire stable stack staff stage stain stake "
    "stamp stand star start starve state station stay steal steel steer stem step stick sting stir stitch stock stone "
    "stop store storm strain stream stress stretch stride strike string strip stroke structure struggle study style "
    "subject suffer suit sum sun supply support surprise surrender survey suspect swarm sway swear sweep swell swing "
    "syllable tail talk target task taste tax team tear temper tempt test thank thirst thought thread threat throne "
    "throw thunder ticket tide tie tile tip title toast toil tool top torment torture toss total touch tour tower "
    "trace track trade trail train tramp trance transfer transport trap travel treat trench tribute trick trim "
    "triumph troop trouble truck trumpet trust try tune turn twist type use value vault veil venture view visit voice "
    "volunteer vote vow voyage wage wait wake walk wall wander want war warn wash waste watch water wave weapon wear "
    "weather wed weed weep welcome well whip whirl whisper whistle widow will win wind wing winter wish witch witness "
    "wonder word work worm worry worship wound wrap wreck wrestle wrong yield yoke".split()
)
_NOUNS_AND_ADJECTIVES = frozenset(
    # A noun unless a word follows that it could describe.
    "absolute adult aged alien ancient black blind blue brave brief broken captive captured central characteristic "
    "chief civil closed cold common concrete content counter criminal dark dead deep desert disputed divided domestic "
    "elder equal eternal evil express external fair fast final fine firm first flat fleet forced foreign free front "
    "future general golden good grave great green grey guilty high holy human ideal ill individual initial innocent "
    "intellectual internal judicial just kind last left legal liberal light like local lone long lost low major "
    "master material mean medium middle military minor minute mobile modern moral mortal national native natural "
    "naval new noble objective occupied offensive official old open oriental original own particular past patient "
    "perfect permanent poor popular potential premier present primary prime principal private professional promised "
    "public quick quiet radical rank rare raw ready rear rebel red regular relative religious rich right rival royal "
    "sacred sage savage second secret secular senior short sick silent single slight smart solid sound special square "
    "stable standard stern straight strong subject superior sweet total true united upper vain vast vital void warm "
    "waste weak wet white wicked wide wild wise worst wounded wrong young".split()
)
_HOMOGRAPHS = frozenset(
    # Words with unrelated senses; near a word of public life they have the sense of a heading.
    "act ball bank bar bark base bat bill bolt bow box bridge cabinet capital case cast cause cell chamber "
    "character charge chest class colon column constitution content corn corps count court cover crane cross crown "
    "current date deck degree desert division dock doctor draft drill execution figure file fine fit "
    "flat fleet foot front game gear ground hail hide hold iron issue jar "
    "key lap lead leaf lie light line lock log lot mass match mean mine minister mint minute "
    "mole mould nail net note novel object palm park party patient pen pitch "
    "plant plate plot point pole pool port post pound present press prime prize pupil "
    "quarter race rank rate relief rest ring rock roll row ruler scale school seal season second "
    "sentence shell sole sound spell spring stable staff stage stake stall star steer stock strain "
    "strike subject suit tank tap tender term tick tip tire toll train trip trunk "
    "type vault vice volume watch wave well will wind yard".split()
)
_PUBLIC_LIFE = frozenset(
    "alliance ambassador america anarchy army assembly banner battle bishop blood britain cabinet cavalry church "
    "citizen city colony commander commerce committee commons congress conquer conqueror conquest conspiracy "
    "constitution council country countryman court crime criminal debt delegate democracy despot diplomat duke "
    "election emperor empire enemy england english europe exile faction flag foe fortress france freedom freeman "
    "french german government governor greece hero independence invasion jury justice king kingdom knight law lawful "
    "lawyer legislature liberty magistrate majesty martyr merchant military minister monarch monarchy money "
    "mutiny nation national navy newspaper oath officer official parliament party patriot peace people policy "
    "political politician politics pope president priest prince princess prison prisoner proclamation prosecution "
    "province public punishment queen rebellion regiment reign religion republic revolution roman rome russia russian "
    "sceptre senate senator sentinel sentry siege slave slavery soldier sovereign state statesman sword tax throne "
    "trade traitor treason treasury treaty trial tribunal triumph troop truce tyranny tyrant union verdict victory "
    "vote war warrior weapon".split()
)
_ACTIONS = frozenset(
    # The verb means the action that the noun names: a last resort.
    "attack battle defeat doubt escape fear fight hope hunger march murder pardon promise retreat return revenge "
    "revolt surrender vote war".split()
)
_DETERMINERS = frozenset(
    "the th a an my thy his its our your their every no whose mine thine each either neither".split()
)
_WEAK_DETERMINERS = frozenset(
    "this that these those all some any her such what which another both many few more most".split()
)
_PREPOSITIONS = frozenset(
    "of o in for with by from at against into upon on without under between through over after before during amid "
    "among amidst till until beyond within towards toward about above across".split()
)
_MODALS = frozenset(
    "shall shalt will wilt would should may might must can cannot could do does did doth dost didst don't didn't let "
    "lets can't won't let's dare needs".split()
)
_BE = frozenset("is are was were be been being am art wert has have had hath having".split())
_SUBJECTS = frozenset("i we ye you they who thou he she it".split())
_OBJECTS = frozenset(
    "me thee him them us himself herself itself themselves myself thyself yourself ourselves oneself it".split()
)
_AFTER_VERBS = frozenset("not up out forth away down off well aright".split())
_ADVERBS = frozenset("not never ever always still also only soon then thus so but too now first often rather".split())
_CONJUNCTIONS = frozenset("and or but nor as than when where while if because though yet who which whom to".split())
_NOUNS_AFTER_TO = frozenset("war court market school bed land battle power exile ruin men arms glory victory".split())
# fmt: on
_AROUND_NOUNS = (
    _PREPOSITIONS | _MODALS | _BE | _DETERMINERS | _WEAK_DETERMINERS | _SUBJECTS | _OBJECTS | _ADVERBS | _CONJUNCTIONS
)

# Set phrases in which a word has another sense; `~` stands for the word. They are matched against folded words.
_OTHER_SENSES = {
    "act": r"(first|last|second|third|fourth|fifth) ~",
    "acts": r"(first|last|two|three|four|five) ~",
    "arms": r"(my|thy|his|her|your|our|their|two|white|folded|clasping|another|lover|mother) ~"
    r"|~ of (mine|his|hers|thine)|(embrace|enfold|entwine)\w* .*~|~ .*(embrace|enfold|entwine)",
    "cause": r"(is|are|be|was|were|became|the) ~ (of|that|why)|without (a )?~",
    "character": r"(in (that|the|this)|whole|stage|dramatic) ~|~ in (a|the) (play|novel|book)",
    "court": r"(pay|pays|paid|make|makes|made) ~|~ of (love|heaven)",
    "courts": r"~ of (love|heaven|princes)|thy ~",
    "doubt": r"(no|without|beyond) ~",
    "election": r"want of ~",
    "end": r"(no|an|at) ~ (of|on|to)?|(to|at) the ~",
    "ends": r"(finger|fingers|odds and|old odd) ~|~ of (the earth|verse)",
    "faith": r"(in|i|by my|good|guid) ~",
    "general": r"in ~",
    "letters": r"(man|men|republic|world|woman) of ~",
    "march": r"(ides|winds|month|days) of ~|(in|early|late|mid|last) ~|~ hare",
    "matter": r"(no|what) ~",
    "means": r"by (no|all|any) ~",
    "minister": r"~ (to|unto)",
    "ministers": r"~ (to|unto|of (grace|love|heaven|god))",
    "mother": r"~ (earth|tongue|wit|of)",
    "order": r"in ~ (to|that)",
    "party": r"other ~|~ (to|of pleasure)|(dinner|evening|card|tea) ~",
    "plague": r"a ~ (of|on|upon|o)",
    "power": r"(have|has|hath|had) ~ to|~ above",
    "race": r"(run|runs|ran|running|win|wins|won|swift|olympic|foot|horse|boat)( \w+)? ~|~ is (run|won|not)",
    "retreat": r"(my|lone|sweet|rural|calm) ~|~s? (of|from) (life|care)",
    "state": r"~ of (mind|nature|things|man|men|life|being|grace|health|affairs|innocence)|in (a|this|that|his|sober) ~"
    r"|(my|thy|his|her) ~|(present|sober|same|natural|unhappy|perfect|what|whatsoever) ~|in all his ~|sat\w* in ~",
    "trial": r"(make|makes|made|making) ~|~ of (everything|strength|skill)",
    "truth": r"(in|of a) ~",
}


class SenseFit(IntEnum):
    """How closely the use of a word in a text fits its sense in a heading."""

    WRONG = 0  # as a verb, or in another sense
    WEAK = 1  # describing the next noun, or possibly in an unrelated sense
    UNSURE = 2
    CLEAR = 3
    BEST = 4  # near a word of public life, the subject of the site's headings


class _Token(NamedTuple):
    word: str
    after_break: bool  # first in the text, or after punctuation
    hyphenated: bool  # after a hyphen
    possessive: bool
    capitalized: bool  # within a sentence, as only a name would be


def sense_fits(text: str) -> dict[str, SenseFit]:
    """Return, for each folded word, how well its best use in the text fits a heading."""
    tokens = list(_tokens(text))
    public_words = {_singular(token.word) for token in tokens} & _PUBLIC_LIFE
    found: dict[str, SenseFit] = {}
    for index, token in enumerate(tokens):
        fit = min(_grammar(tokens, index), _sense(tokens, index, public_words))
        if fit is SenseFit.CLEAR and public_words - {_singular(token.word)}:
            fit = SenseFit.BEST
        found[token.word] = max(fit, found.get(token.word, SenseFit.WRONG))
    return found


def _tokens(text: str) -> Iterator[_Token]:
    end = 0
    for found in occurrences(text):
        gap = text[end : found.start]
        after_break = not end or (not gap.strip("-'’").isspace() and gap != "-")
        possessive = text[found.start : found.end].endswith(("'s", "’s", "s'", "s’"))
        capitalized = text[found.start].isupper() and not after_break and "\n" not in gap
        yield _Token(found.word, after_break, gap == "-", possessive, capitalized)
        end = found.end


def _grammar(tokens: Sequence[_Token], index: int) -> SenseFit:
    word = tokens[index].word
    verb = word in _NOUNS_AND_VERBS or _singular(word) in _NOUNS_AND_VERBS
    adjective = word in _NOUNS_AND_ADJECTIVES
    if tokens[index].possessive or not (verb or adjective):
        return SenseFit.CLEAR
    before, earlier, following = _beside(tokens, index)
    describes = bool(following) and not _ends_a_noun(following)
    if adjective and describes:
        return SenseFit.WEAK
    determined = before in _DETERMINERS or (
        index > 0 and not tokens[index].after_break and tokens[index - 1].possessive
    )
    if verb and not determined:
        if _is_verb(word, before, earlier, following):
            return SenseFit.UNSURE if _singular(word) in _ACTIONS else SenseFit.WRONG
        if describes and word == _singular(word) and before not in _PREPOSITIONS:
            return SenseFit.WEAK  # seal orders
    if determined or (verb and earlier in _DETERMINERS and before in _NOUNS_AND_ADJECTIVES | QUALIFIERS):
        return SenseFit.CLEAR
    if before in _PREPOSITIONS:
        return SenseFit.CLEAR if verb else SenseFit.UNSURE
    if adjective:
        return SenseFit.UNSURE if earlier in _DETERMINERS else SenseFit.WEAK
    return SenseFit.CLEAR if before in _WEAK_DETERMINERS or following in _MODALS | _BE | {"of"} else SenseFit.UNSURE


def _is_verb(word: str, before: str, earlier: str, following: str) -> bool:
    """Return whether its neighbours make a word without an article a verb."""
    plural = word != _singular(word)
    if before == "to" and not (word in _NOUNS_AFTER_TO or following == "of"):
        return True
    if before in _MODALS | _SUBJECTS or (before in _ADVERBS and earlier in _MODALS | _SUBJECTS):
        return True
    if following in _OBJECTS | _AFTER_VERBS:
        return True
    if following in _DETERMINERS | {"her", "this", "these", "those"}:
        return before not in _PREPOSITIONS and earlier not in _DETERMINERS | _PREPOSITIONS
    return before in {"which", "that", "one"} if plural else before != _singular(before)  # kings rule, shadows fall


def _beside(tokens: Sequence[_Token], index: int) -> tuple[str, str, str]:
    """Return the word before, the one before that, and the one after; empty across punctuation."""
    before = tokens[index - 1].word if index and not tokens[index].after_break else ""
    earlier = tokens[index - 2].word if before and index > 1 and not tokens[index - 1].after_break else ""
    following = tokens[index + 1].word if index + 1 < len(tokens) and not tokens[index + 1].after_break else ""
    return before, earlier, following


def _ends_a_noun(following: str) -> bool:
    """Return whether a word that is noun and adjective remains a noun before this one."""
    return following in _AROUND_NOUNS


def _sense(tokens: Sequence[_Token], index: int, public_words: Collection[str]) -> SenseFit:
    word = tokens[index].word
    if tokens[index].capitalized and word in AMBIGUOUS_MONTHS:
        return SenseFit.WRONG
    if word in _OTHER_SENSE_PATTERNS:
        window = [token.word for token in tokens[max(0, index - 5) : index]]
        after = [token.word for token in tokens[index + 1 : index + 6]]
        if _OTHER_SENSE_PATTERNS[word].search(" ".join([*window, "~", *after])):
            return SenseFit.WRONG
    if tokens[index].hyphenated or (index + 1 < len(tokens) and tokens[index + 1].hyphenated):
        return SenseFit.WEAK  # a part of another word
    singular = _singular(word)
    if (word in _HOMOGRAPHS or singular in _HOMOGRAPHS) and all(other == singular for other in public_words):
        return SenseFit.WEAK
    return SenseFit.CLEAR


_OTHER_SENSE_PATTERNS = {word: re.compile(rf"(?<!\S)(?:{pattern})(?!\S)") for word, pattern in _OTHER_SENSES.items()}


def _singular(word: str) -> str:
    """Return the singular, accurate enough for the word lists of this module."""
    if word in PLURALS:
        return PLURALS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1]
