"""Inputs of tags: static/js/tags.js suggests names while somebody types; without it they are plain fields."""

from typing import Any

from django import forms
from django.forms import Script
from django.urls import reverse
from taggit.forms import TagWidget


class TagSuggestionsMixin:
    class Media:
        js = [Script("js/combobox.js", defer=True), Script("js/tags.js", defer=True)]

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)  # type: ignore[misc]
        return {**attrs, "autocomplete": "off", "data-tag-suggestions": reverse("admin:rlm_site_tag_suggestions")}


class TagsInput(TagSuggestionsMixin, TagWidget):
    """Names with commas between them."""


class TagInput(TagSuggestionsMixin, forms.TextInput):
    """One name, commas and all."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return {**super().build_attrs(base_attrs, extra_attrs), "data-one-tag": True}
