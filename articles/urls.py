from django.urls import include, path

from articles import atlas_views, chronology_views, entry_views, reference_views, version_views, views

OF_VERSIONS = [
    path("", version_views.version_list, name="versions"),
    path("<int:number>/", version_views.version, name="version"),
    path("<int:number>/since/<int:older>/", version_views.changes, name="version_changes"),
    path("<int:number>/cite/", version_views.cite, name="version_cite"),
    path("<int:number>/cite.bib", version_views.citation_file, {"ending": "bib"}, name="version_bib"),
    path("<int:number>/cite.ris", version_views.citation_file, {"ending": "ris"}, name="version_ris"),
]

app_name = "articles"
urlpatterns = [
    path("people/", entry_views.people, name="people"),
    path("places/", entry_views.places, name="places"),
    path("documents/", entry_views.documents, name="documents"),
    path("glossary/", entry_views.glossary, name="glossary"),
    path("index/", entry_views.index, name="index"),
    path("map/", atlas_views.map_of_places, name="map"),
    path("chronology/", chronology_views.chronology, name="chronology"),
    path("chronology/<int:year>/", chronology_views.year, name="year"),
    path("references/", reference_views.reference_list, name="references"),
    path("references/<slug:slug>.bib", reference_views.export, {"ending": "bib"}, name="references_bib"),
    path("references/<slug:slug>.ris", reference_views.export, {"ending": "ris"}, name="references_ris"),
    path("preview/<str:token>/", views.preview, name="preview"),
    path("preview/<str:token>/<int:section>/", views.preview, name="preview_section"),
    path("<slug:slug>/", views.topic, name="topic"),
    path("<slug:topic_slug>/all/", views.whole_topic, name="whole_topic"),
    path("<slug:topic_slug>/versions/", include(OF_VERSIONS)),
    path("<slug:topic_slug>/<slug:slug>/versions/", include(OF_VERSIONS)),
    path("<slug:topic_slug>/<slug:slug>/", views.section, name="section"),
]
