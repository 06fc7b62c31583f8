"""The vendored data: what tools/vendor.py wrote, with the notices of those it came from."""

import json
import runpy
from importlib import resources
from pathlib import Path

DATA = resources.files("newsletter.rendering").joinpath("data")
VENDOR = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "vendor.py"))


def test_the_data_is_of_the_versions_that_the_script_names_and_in_its_form() -> None:
    for name, package in (("mjml.json", "mjml-preset-core"), ("caniemail.json", "caniemail")):
        text = DATA.joinpath(name).read_text("utf-8")
        assert json.loads(text)["source"] == f"{package} {VENDOR['VERSIONS'][package]}"
        assert text == VENDOR["lines"](json.loads(text))


def test_both_notices_lie_beside_the_data() -> None:
    notices = DATA.joinpath("NOTICES.md").read_text("utf-8")
    for holder in ("Mailjet SAS", "Avi Goldman", "Andrew Powell", "Rémi Parmentier"):
        assert holder in notices
    assert notices.count("WITHOUT WARRANTY OF ANY KIND") == 2


def test_features_are_read_from_their_titles() -> None:
    marks = VENDOR["_marks"]
    assert marks("display:grid", "css") == ["value:display:grid"]
    assert marks("@media (prefers-color-scheme)", "css") == ["media:prefers-color-scheme"]
    assert marks("::before", "css") == ["pseudo:before"]
    assert marks("<video> element", "html") == ["element:video"]
    assert marks("AVIF image format", "image") == []
