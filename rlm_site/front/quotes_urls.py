"""The addresses of `quotes` with that of a person's page, which names the entry about the person."""

from django.urls import path

from quotes import urls
from rlm_site.front import views

app_name = urls.app_name
urlpatterns = [*urls.urlpatterns, path("quotes/people/<slug:slug>/", views.person, name="person")]
