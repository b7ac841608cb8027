"""The input of Markdown: rich text that is pasted into it becomes Markdown, and a link leads to the help."""

from typing import Any

from django.contrib.admin.widgets import AdminTextareaWidget
from django.forms import Script
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


class MarkdownInput(AdminTextareaWidget):
    class Media:
        js = [
            Script("js/vendor/turndown.js", defer=True),
            Script("js/insert.js", defer=True),
            Script("js/rich-text.js", defer=True),
            Script("js/paste.js", defer=True),
        ]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        field = super().render(name, value, attrs, renderer)
        return render_to_string("articles/editor/markdown_input.html", {"field": field, "id": (attrs or {}).get("id")})
