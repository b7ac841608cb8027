import pytest

from quotes.attribution import Place, attribution, dates, normalise_locator


@pytest.mark.parametrize(
    ("fields", "printed"),
    [
        ({"name": "Lena Sommer", "born": 1933}, "Lena Sommer (b. 1933)"),
        (
            {
                "name": "Mrs. Edmund T. Garland",
                "description": "Tolby baker",
                "quoted_in": Place("History of the Yarle Mills", "vol. 5, ch. 8", "Ida Marsh Hollis", 1922),
            },
            "Mrs. Edmund T. Garland, Tolby baker. As quoted in History of the Yarle Mills, vol. 5, ch. 8, "
            "by Ida Marsh Hollis (1922)",
        ),
        (
            {"name": "Johann Wolfgang von Goethe", "born": 1749, "died": 1832},
            "Johann Wolfgang von Goethe (1749–1832)",
        ),
        (
            {
                "name": "Karl Marx",
                "born": 1818,
                "died": 1883,
                "description": "German philosopher",
                "work": Place("The Civil War in France", "ch. 4", "Karl Marx", 1871),
            },
            "Karl Marx (1818–1883), German philosopher. The Civil War in France, ch. 4 (1871)",
        ),
        (
            {"name": "Geoffrey Chaucer", "born": 1343, "born_circa": True, "died": 1400},
            "Geoffrey Chaucer (c. 1343–1400)",
        ),
        (
            {
                "name": "Euripides",
                "born": -480,
                "born_circa": True,
                "died": -406,
                "description": "Greek tragedian",
                "work": Place("Alope", "frag. 109"),
            },
            "Euripides (c. 480–406 BC), Greek tragedian. Alope, frag. 109",
        ),
        ({"name": "Livy", "born": -59, "died": 17}, "Livy (59 BC–AD 17)"),
        ({"name": "Jonas Weaver", "died": 1942}, "Jonas Weaver (d. 1942)"),
        ({}, "Anonymous"),
        ({"name": "Yarle proverb"}, "Yarle proverb"),
        (
            {
                "name": "Leo Tolstoy",
                "work": Place("War and Peace", "bk. 9, ch. 1", "Leo Tolstoy", 1904),
                "translator": "Constance Garnett",
            },
            "Leo Tolstoy. War and Peace, bk. 9, ch. 1, trans. Constance Garnett (1904)",
        ),
        (
            {"name": "Voltaire", "born": 1694, "died": 1778, "disputed": True},
            "Attributed to Voltaire (1694–1778)",
        ),
        # the primary work alone is printed where both are known
        (
            {"name": "A", "work": Place("Own"), "quoted_in": Place("Other", "p. 1", "B", 1900)},
            "A. Own",
        ),
        ({"name": "A", "year_said": 1946}, "A (1946)"),
        ({"name": "A Jr.", "work": Place("Own")}, "A Jr. Own"),
        ({"name": "A", "work": Place("Own", year=-380), "year_said": 5}, "A. Own (380 BC)"),
        ({"name": "A", "as_imported": "A, somewhere, once"}, "A, somewhere, once"),
        ({"disputed": True}, "Anonymous"),
        # no year twice
        ({"name": "A", "work": Place("Maxims, 1871", year=1871)}, "A. Maxims, 1871"),
        ({"name": "A", "work": Place("Letter", "Nov. 6, 1747", year=1747)}, "A. Letter, Nov. 6, 1747"),
        ({"name": "A", "work": Place("Works", "p. 1747", year=174)}, "A. Works, p. 1747 (174)"),
        ({"name": "A", "work": Place("Own", "May 1846"), "year_said": 1846}, "A. Own, May 1846"),
        # scripture names itself
        ({"work": Place("The Bible (KJV), Numbers", "23:10", is_scripture=True)}, "The Bible (KJV), Numbers 23:10"),
        ({"work": Place("The Bible, Psalms", "55:21", "", 1611, True)}, "The Bible, Psalms 55:21"),
        (
            {"work": Place("The Book of Common Prayer", "The Litany", is_scripture=True)},
            "The Book of Common Prayer, The Litany",
        ),
        ({"quoted_in": Place("The Bible (KJV), Acts", "17:28", is_scripture=True)}, "The Bible (KJV), Acts 17:28"),
        (
            {"name": "Isaac Watts", "work": Place("The Psalms of David", "5", is_scripture=True)},
            "Isaac Watts. The Psalms of David, 5",
        ),
        ({"work": Place("Quran", is_scripture=True), "disputed": True}, "Quran"),
    ],
)
def test_fields_print_as_the_plan_says(fields: dict[str, object], printed: str) -> None:
    assert str(attribution(**fields)) == printed  # type: ignore[arg-type]


def test_the_name_and_the_title_stand_apart_for_links_and_italics() -> None:
    line = attribution(name="Karl Marx", born=1818, died=1883, work=Place("The Civil War in France", "ch. 4", "", 1871))
    assert (line.name, line.title) == ("Karl Marx", "The Civil War in France")


@pytest.mark.parametrize(
    ("born", "died", "printed"),
    [
        (None, None, ""),
        (-384, -322, "384–322 BC"),
        (-4, None, "b. 4 BC"),
        (None, -399, "d. 399 BC"),
        (121, 180, "121–180"),
    ],
)
def test_dates(born: int | None, died: int | None, printed: str) -> None:
    assert dates(born, died) == printed


def test_an_uncertain_death_is_marked() -> None:
    assert dates(1200, 1261, died_circa=True) == "1200–c. 1261"


@pytest.mark.parametrize(
    ("printed", "normal"),
    [
        ("Act iii. Sc. 2", "act 3, sc. 2"),
        ("Frag. 109", "frag. 109"),
        ("Vol. iv. p. 47", "vol. 4, p. 47"),
        ("Part ii. Chap. lviii", "pt. 2, ch. 58"),
        ("Canto iv. Stanza 98", "canto 4, st. 98"),
        ("Book iv. Ep. 5", "bk. 4, ep. 5"),
        ("Part i. Act iv. Sc. 4", "pt. 1, act 4, sc. 4"),
        ("Line 129", "l. 129"),
        ("P. 93", "p. 93"),
        ("Prologue. Line 1", "Prologue, l. 1"),
        ("Book v. The Winter Morning Walk", "bk. 5, The Winter Morning Walk"),
        ("", ""),
        # of the collections that we import
        ("Part iii. Sect. 4, Memb. 2, Subsect. 3", "pt. 3, sec. 4, memb. 2, subsec. 3"),
        ("iv. 36", "4.36"),
        ("iii. 76. 11", "3.76.11"),
        ("xxiii. p. 33", "23, p. 33"),
        ("cxii. Stanza 4", "112, st. 4"),
        ("Book vi. Winter Walk at Noon. Line 560", "bk. 6, Winter Walk at Noon, l. 560"),
        ("Book iv. The Winter Evening, Line 9", "bk. 4, The Winter Evening, l. 9"),
        ("Book v. Emblem 7", "bk. 5, emblem 7"),
        ("Lines 17-19", "ll. 17–19"),
        ("Vol. viii. Chap. x. 1784", "vol. 8, ch. 10, 1784"),
        ("Book ii. Canto ii. (1843.)", "bk. 2, canto 2 (1843.)"),
        ("i.)", "1"),
        ("Letter xii. To the Duke of Grafton", "letter 12, To the Duke of Grafton"),
        ("c. 10", "ch. 10"),
        ("c. 1560", "c. 1560"),
        ("Acts ix", "Acts 9"),
        ("Psalm cxix", "Psalm 119"),
        ("act IV, sc. III", "act 4, sc. 3"),
        ("Introduction to Canto ii", "Introduction to Canto 2"),
        ("Epilogue to the Satires. Dialogue i. Line 136", "Epilogue to the Satires, dialogue 1, l. 136"),
        ("Preface, vol. i. p. 7", "Preface, vol. 1, p. 7"),
        ("Book ii. Epigr. 4", "bk. 2, epigr. 4"),
        ("Act. v. Sc. 2", "act 5, sc. 2"),
        ("i. 12, 19", "1.12.19"),
        ("Book i. Fable 2, 31", "bk. 1, fable 2, 31"),
        ("v. 407", "v. 407"),
        ("To St. Agnes. Stanza 3", "To St. Agnes, st. 3"),
        ("mix. 4", "mix, 4"),
        # numerals of kings and initials are no places; letters between names are no numbers
        ("Speech on Charles II and Louis XIV", "Speech on Charles II and Louis XIV"),
        ("Texas v. White, 7 Wallace, 725", "Texas v. White, 7 Wallace, 725"),
        ("Letter to W. H. Seward, March 3, 1861", "Letter to W. H. Seward, March 3, 1861"),
        ("I knew", "I knew"),
    ],
)
def test_locators_are_normalised(printed: str, normal: str) -> None:
    assert normalise_locator(printed) == normal
