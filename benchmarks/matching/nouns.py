#!/usr/bin/env python
"""Write the list of nouns with which matching reads English texts, from Roget's Thesaurus.

    python benchmarks/matching/nouns.py roget15a.txt > quotes/lists/en/nouns.txt

The file is the edition of 1911 with the supplement of 1991, which is in the public domain (Project Gutenberg 10681).
Its thousand heads part the words by meaning, and each head parts them by part of speech.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

COMMENT = """\
# Nouns, from Roget's Thesaurus (1911): under how many of its heads each stands, and whether it is also a verb (v) or an
# adjective (a). Nouns that stand under one head alone and are nothing else are left out.
"""
_HEAD = re.compile(r"\n\s*#\d+[a-z]?\.\s")
_PART_OF_SPEECH = re.compile(r"(?:^|(?<=\s))(N|V|Adj|Adv|Phr|Int)\.\s")
_ASIDES = re.compile(r'\[[^\]]*\]|"[^"]*"|<--.*?-->|&c\.?\s*(?:\([^)]*\))?\s*\d*[a-z]?\.?|\([^)]*\)', re.DOTALL)
_SEPARATORS = re.compile(r"[,;:.\n](?:\s|$)|\n\s{3,}")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    heads = read_heads(Path(sys.argv[1]).read_text("latin-1"))
    print(COMMENT, end="")
    for word, under in sorted(heads["N"].items()):
        others = "".join(letter for letter, part in (("v", "V"), ("a", "Adj")) if word in heads[part])
        if len(word) > 2 and (len(under) > 1 or others):
            print(word, len(under), *filter(None, [others]))


def read_heads(text: str) -> dict[str, dict[str, set[int]]]:
    """Return, for each part of speech, the single words with the numbers of their heads."""
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, head in enumerate(_HEAD.split(text)[1:]):
        parts = _PART_OF_SPEECH.split(head.split("\n%")[0])
        for part, words in zip(parts[1::2], parts[2::2], strict=True):
            for term in _SEPARATORS.split(_ASIDES.sub(" ", words)):
                word = " ".join(term.split()).lower().strip(" .!?-%")
                if re.fullmatch(r"[a-z]+", word):
                    found[part][word].add(number)
    return found


if __name__ == "__main__":
    main()
