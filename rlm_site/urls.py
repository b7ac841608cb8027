from django.contrib import admin
from django.urls import include, path

from rlm_site.front import feeds, sitemaps, views

urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
    path("changes/", views.change_list, name="changes"),
    path("search/", views.search, name="search"),
    path("tags/", views.tag_list, name="tags"),
    path("tags/<slug:slug>/", views.tag, name="tag"),
    path("words/<str:word>/", views.word, name="word"),
    path("quotes/<int:pk>/", views.quote, name="quote_by_id"),
    path("quotes/<int:pk>/<slug:slug>/", views.quote, name="quote"),
    path("feeds/changes/", feeds.Changes(), name="changes_feed"),
    path("feeds/quotes/", feeds.Quotes(), name="quotes_feed"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemap-<slug:section>.xml", sitemaps.section, name="sitemap_section"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon),
    path("healthz", views.health, name="health"),
    path("admin/", admin.site.urls),
    path("", include("rlm_site.front.quotes_urls")),
    path("", include("articles.urls")),  # last: the slug of a topic may be any other first segment
]

handler400 = "rlm_site.front.views.bad_request"
handler404 = "rlm_site.front.views.not_found"
handler500 = "rlm_site.front.views.server_error"
