"""The longest texts that are read, written and compared; every form and every import has them."""

MAX_TEXT = 200_000  # characters of an article
MAX_PASSAGE = 20_000  # of a quotation, a description, what was found: any other text of several lines
MAX_TAGS = 100  # of one record
