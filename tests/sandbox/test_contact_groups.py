"""Segments, tags and subscription types, and those of a contact."""

from __future__ import annotations

import pytest


@pytest.fixture
def resident(client):
    """A resident's attached lists: `resident(number, collection)`."""

    def read(number, collection):
        contact = client.get(f"/contacts/find_by_external_id/resident-{number:02}").json["id"]
        return client.get(f"/contacts/{contact}/{collection}").json["data"]

    return read


def test_each_is_shown_by_itself(client):
    for collection, key in (("segments", "segments"), ("tags", "data")):
        for item in client.get(f"/{collection}").json[key]:
            assert client.get(f"/{collection}/{item['id']}").json == item
        assert client.get(f"/{collection}/1").code == "not_found"


def test_a_count_of_members_is_only_shown_if_asked_for(client):
    assert ["count" in segment for segment in client.get("/segments").json["segments"]] == [False, False]
    counts = [segment["count"] for segment in client.get("/segments?include_count=true").json["segments"]]
    assert counts == [6, 6]


def test_a_contact_shows_its_own(resident):
    assert [tag["name"] for tag in resident(3, "tags")] == ["beta"]
    assert resident(4, "tags") == []
    assert [segment["name"] for segment in resident(3, "segments")] == ["Slipping away"]
    assert [one["consent_type"] for one in resident(4, "subscriptions")] == ["opt_out"]
    assert [one["consent_type"] for one in resident(5, "subscriptions")] == ["opt_in"]
    assert resident(6, "subscriptions") == []


@pytest.mark.parametrize("collection", ["tags", "segments", "subscriptions", "companies"])
def test_a_missing_contact_has_no_lists(client, collection):
    assert client.get(f"/contacts/missing/{collection}").message == "User Not Found"


def test_teams_and_their_admins_name_each_other(client):
    teams = client.get("/teams").json["teams"]
    for team in teams:
        assert client.get(f"/teams/{team['id']}").json == team
        for admin in team["admin_ids"]:
            assert int(team["id"]) in client.get(f"/admins/{admin}").json["team_ids"]
    assert client.get("/teams/1").code == "team_not_found"
