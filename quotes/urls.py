from django.urls import path

from quotes import views

app_name = "quotes"
# The page of a person, `quotes:person`, draws on both apps: rlm_site/front/quotes_urls.py adds it.
urlpatterns = [
    path("quotes/", views.quote_list, name="quotes"),
    path("quotes/people/", views.person_list, name="people"),
    path("people/<slug:slug>/", views.person_moved, name="person_moved"),
]
