"""The desk page: what an editor does by the command line, in a browser, for who was let in by a mailed link."""

from newsletter.web.desk import door, files, overview

#: Whose routes are the desk's.
ROOMS = (files, door, overview)
