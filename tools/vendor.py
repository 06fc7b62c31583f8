"""Renew newsletter/rendering/data from npm: `python tools/vendor.py` (needs node and npm, and their registry).

`mjml.json` is what each MJML component may have and hold, by the reference implementation. `caniemail.json` is what the
chosen clients do not support, by the newest version that was tested, with the marks by which a page is seen to use it.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "newsletter" / "rendering" / "data"
VERSIONS = {"mjml-preset-core": "5.4.1", "caniemail": "2.0.2"}

#: The clients that a newsletter meets most, with the names that findings give them. The new Outlook for Windows shows
#: mail as outlook.com does.
CLIENTS = {
    "gmail.desktop-webmail": "Gmail",
    "gmail.mobile-webmail": "Gmail on the mobile web",
    "gmail.ios": "Gmail on iOS",
    "gmail.android": "Gmail on Android",
    "outlook.windows": "Outlook on Windows",
    "outlook.outlook-com": "Outlook.com",
    "outlook.macos": "Outlook on macOS",
    "outlook.ios": "Outlook on iOS",
    "outlook.android": "Outlook on Android",
    "apple-mail.macos": "Apple Mail on macOS",
    "apple-mail.ios": "Apple Mail on iOS",
    "yahoo.desktop-webmail": "Yahoo",
    "samsung-email.android": "Samsung Email",
    "thunderbird.macos": "Thunderbird",
}

#: Features whose title does not say how they are written.
MARKS = {
    "css-block-inline-size": ["property:block-size", "property:inline-size"],
    "css-border-inline-block": ["property:border-inline", "property:border-block"],
    "css-color-scheme": ["property:color-scheme"],
    "css-column-layout-properties": ["property:columns", "property:column-width", "property:column-rule"],
    "css-comments": [],
    "css-font": ["property:font"],
    "css-function-light-dark": ["function:light-dark"],
    "css-gap": ["property:gap", "property:row-gap", "property:column-gap"],
    "css-grid-template": ["property:grid-template", "property:grid-template-columns", "property:grid-template-rows"],
    "css-important": ["important"],
    "css-inline-size": ["property:inline-size"],
    "css-intrinsic-size": ["keyword:fit-content", "keyword:min-content", "keyword:max-content"],
    "css-left-right-top-bottom": ["property:left", "property:right", "property:top", "property:bottom"],
    "css-modern-color": ["function:lch", "function:oklch", "function:lab", "function:oklab"],
    "css-pseudo-class-lang": ["pseudo:lang"],
    "css-selector-adjacent-sibling": ["selector:+"],
    "css-selector-attribute": ["selector:["],
    "css-selector-child": ["selector:>"],
    "css-selector-general-sibling": ["selector:~"],
    "css-selector-id": ["selector:#"],
    "css-selector-universal": ["selector:*"],
    "css-sytem-ui": ["keyword:system-ui", "keyword:ui-serif", "keyword:ui-sans-serif", "keyword:ui-monospace"],
    "css-unit-calc": ["function:calc"],
    "css-unit-initial": ["keyword:initial"],
    "css-unit-percent": ["unit:%"],
    "css-variables": ["function:var", "property:--*"],
    "html-address": ["element:address"],
    "html-anchor-links": ["href:#"],
    "html-base": ["element:base"],
    "html-h1-h6": [f"element:h{level}" for level in range(1, 7)],
    "html-image-maps": ["element:map"],
    "html-lists": ["element:ul", "element:ol", "element:dl"],
    "html-mailto-links": ["href:mailto"],
    "html-meta-color-scheme": ["meta:color-scheme"],
    "html-semantics": [
        f"element:{name}" for name in ("article", "aside", "details", "figcaption", "figure", "footer", "header",
                                       "main", "mark", "nav", "section", "summary", "time")
    ],
    "html-srcset": ["attribute:srcset", "attribute:sizes"],
    "html-svg": ["element:svg"],
}  # fmt: skip

COMPONENTS = """
const preset = require("mjml-preset-core");
const core = preset.default || preset;
const components = {};
for (const each of core.components)
  components[each.componentName] = {attributes: each.allowedAttributes || {}, ending: !!each.endingTag};
console.log(JSON.stringify({components, children: core.dependencies},
  (key, value) => value instanceof RegExp ? "*" : value));
"""


def main() -> None:
    """Fetch both packages into a folder that goes away again, and write what is kept of them."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{name}@{version}" for name, version in VERSIONS.items()]
        _run(folder, "npm", "init", "-y")
        _run(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *names)
        packages = Path(folder) / "node_modules"
        made = json.loads(_run(folder, "node", "-e", COMPONENTS))
        known = json.loads((packages / "caniemail" / "data" / "caniemail.json").read_text("utf-8"))
        _write("mjml.json", mjml(made))
        _write("caniemail.json", caniemail(known))
        notices = [_notice(packages / name, name) for name in VERSIONS]
    (DATA / "NOTICES.md").write_text("\n".join([HEAD, *notices]), "utf-8")


HEAD = """\
# Notices

What lies here is made by `tools/vendor.py` from packages of others, under their licences. The data of caniemail is that
of https://github.com/hteumeuleu/caniemail by Rémi Parmentier and its contributors, under the MIT licence too.
"""


def mjml(made: dict[str, Any]) -> dict[str, Any]:
    """Return the components: what each may have, and what each may hold."""
    components = {
        name: {"attributes": given["attributes"], "children": made["children"].get(name, []), "ending": given["ending"]}
        for name, given in made["components"].items()
    }
    return {
        "source": f"mjml-preset-core {VERSIONS['mjml-preset-core']}",
        "components": dict(sorted(components.items())),
    }


def caniemail(known: dict[str, Any]) -> dict[str, Any]:
    """Return the features that some of the clients lack."""
    features = {each["slug"]: made for each in known["data"] for made in _feature(each)}
    return {
        "source": f"caniemail {VERSIONS['caniemail']}",
        "updated": known["last_update_date"][:10],
        "clients": CLIENTS,
        "features": dict(sorted(features.items())),
    }


def _feature(each: dict[str, Any]) -> Iterator[dict[str, Any]]:
    marks = MARKS.get(each["slug"], _marks(each["title"], each["category"]))
    lacking: dict[str, list[str]] = {"n": [], "a": []}
    for client in CLIENTS:
        program, platform = client.split(".")
        tested = each["stats"].get(program, {}).get(platform, {})
        newest = list(tested.values())[-1][0] if tested else ""
        if newest in lacking:
            lacking[newest].append(client)
    if marks and any(lacking.values()):
        yield {"title": each["title"].strip(), "url": each["url"], "marks": marks, "no": lacking["n"],
               "partly": lacking["a"]}  # fmt: skip


def _marks(title: str, category: str) -> list[str]:
    """Return how a feature of that title is written: `kind:name` for each form."""
    forms = {
        "css": (
            (r"([a-z-]+)(?: property)?", "property:{0}"), (r"(@[a-z-]+)", "at:{0}"),
            (r"@media \((?:-webkit-)?([a-z-]+)\).*", "media:{0}"), (r"::?([a-z-]+)(?:\(\))?", "pseudo:{0}"),
            (r"([a-z-]+)\(\)", "function:{0}"), (r"([a-z-]+): ?([a-z-]+)", "value:{0}:{1}"),
            (r"([a-z]+) unit", "unit:{0}"),
        ),
        "html": (
            (r"(?:Embedded )?<([a-z]+)> .*", "element:{0}"), (r'<([a-z]+) type="([a-z]+)"> element', "input:{1}"),
            (r"([a-z-]+) attribute", "attribute:{0}"),
        ),
    }  # fmt: skip
    for pattern, mark in forms.get(category, ()):
        found = re.fullmatch(pattern, title)
        if found:
            return [mark.format(*found.groups())]
    return []


def _run(folder: str, *command: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def _write(name: str, value: dict[str, Any]) -> None:
    path = DATA / name
    path.write_text(lines(value), "utf-8")
    sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")


def lines(value: dict[str, Any]) -> str:
    """Return the data as JSON with each component or feature on a line of its own: what changed can be read."""
    parts = []
    for key, held in value.items():
        if isinstance(held, dict) and key != "clients":
            rows = ",\n".join(
                f" {json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in held.items()
            )
            parts.append(f"{json.dumps(key)}: {{\n{rows}\n}}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(held, ensure_ascii=False)}")
    return "{" + ",\n".join(parts) + "}\n"


def _notice(folder: Path, name: str) -> str:
    version = json.loads((folder / "package.json").read_text("utf-8"))["version"]
    text = next(path for path in folder.glob("LICENSE*")).read_text("utf-8").strip()
    return f"## {name} {version}\n\n{text}\n"


if __name__ == "__main__":
    main()
