"""`newsletter briefings related`: what is near a text, by which words and topics."""

from tests.support.commands import Desk


def test_a_draft_is_shown_beside_what_is_approved(desk: Desk) -> None:
    (near,) = desk.json("briefings", "related", "grid")
    assert (near["briefing"], near["title"], near["topics"]) == (
        "cranes",
        "What cranes will change in the harbours",
        ["networks"],
    )
    assert 0.1 < near["cosine"] < 0.4
    assert len(near["terms"]) == 5
    assert not near["pinned"]
    said = desk.run("briefings", "related", "grid").stdout
    assert "cosine" in said
    assert f"{near['cosine']:.2f}    cranes" in said
    assert desk.json("briefings", "related", "cranes") == []  # a draft is related to nothing
    assert (
        "Nothing is near cranes (a cosine of 0.50)"
        in desk.run("briefings", "related", "cranes", "--cutoff", "0.5").stdout
    )
    assert "there is no briefing 'nowhere'" in desk.refuses("briefings", "related", "nowhere", code=3)
