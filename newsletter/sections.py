"""A table of newsletter.toml, or of a theme's theme.toml, as a typed value."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
