from django.urls import path

from articles import views

app_name = "articles"
urlpatterns = [
    path("references/", views.reference_list, name="references"),
    path("preview/<str:token>/", views.preview, name="preview"),
    path("<slug:slug>/", views.topic, name="topic"),
    path("<slug:topic_slug>/<slug:slug>/", views.section, name="section"),
]
