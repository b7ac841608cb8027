from django import template
from django.template.base import NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from rlm_site.context_processors import site

register = template.Library()


class OnceNode(template.Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.rendered: dict[str | None, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        language = get_language()
        if language not in self.rendered:
            self.rendered[language] = self.nodelist.render(context.new(site()))
        return self.rendered[language]


@register.tag
def once(parser: Parser, token: Token) -> OnceNode:
    """Cache the content of `{% once %}…{% endonce %}`, which is the same on every page.

    Only variables of `context_processors.site` are available, so that nothing of one page can appear on another.
    """
    nodelist = parser.parse(("endonce",))
    parser.delete_first_token()
    return OnceNode(nodelist)
