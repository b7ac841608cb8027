from django.db import models


class SearchDocument(models.Model):
    """The indexed text of one object. The full-text table beside it is created by a migration."""

    SPAN = 2**40  # the id of a document is number of its kind * SPAN + object_id

    id = models.BigIntegerField(primary_key=True)
    source = models.CharField(max_length=20)  # article or quote
    object_id = models.BigIntegerField()
    title = models.CharField(max_length=400)
    public_from = models.DateTimeField(db_index=True)
    public_until = models.DateTimeField(null=True, db_index=True)
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "object_id"], name="one_search_document_an_object")]

    def __str__(self) -> str:
        return self.title


class SearchWord(models.Model):
    """The vocabulary of the search: spellings found in documents, for noun forms and suggestions."""

    text = models.CharField(max_length=64, primary_key=True)
    form = models.CharField(max_length=64, db_index=True)
    sound = models.CharField(max_length=64, db_index=True)  # of a name, shared by its other spellings

    def __str__(self) -> str:
        return self.text
