"""The desk page: what an editor does by the command line, in a browser, for who was let in by a mailed link."""

from newsletter.web.desk import briefings, door, files, inbox, issues, overview, reporting, views

#: Whose routes are the desk's. The files come first: no briefing or issue is called as they are.
ROOMS = (files, door, overview, inbox, briefings, issues, reporting, views)
