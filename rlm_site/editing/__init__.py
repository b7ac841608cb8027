"""The editors' desk: what every page of content does in the admin, whatever the content is."""
