from django.urls import path

from quotes import views

app_name = "quotes"
urlpatterns = [
    path("quotes/", views.quote_list, name="quotes"),
    path("people/", views.person_list, name="people"),
    path("people/<slug:slug>/", views.person, name="person"),
]
