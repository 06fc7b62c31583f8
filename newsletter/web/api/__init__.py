"""The interface for programs: the same rules as the commands and the pages, over HTTP, behind tokens with scopes."""
