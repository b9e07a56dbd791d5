"""What is no Intercom id, and a key that is nearly `id`, is named with the key that is meant."""

import pytest

from tests.support.project import Folder

MESSAGE = "name: a\nmessage_type: inapp\nbody: Hi\nfrom: {type: admin, id: '1'}\nto: "
UUID = "7f1c2f0e-5b1d-4c0b-9a53-2b1f0f4d9e11"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("Bo Smith", "a name"), ("Bo  van Smith", "a name"), ("Zoë Ünal", "a name"), ("Анна Ли", "a name"),
        (UUID, "name it user_id"), (UUID.upper(), "name it user_id"), (f"{{{UUID}}}", "name it user_id"),
        ("536E564F316C83104C000020", "in small letters"), ("536e564f316c83104C000020", "in small letters"),
    ],
)  # fmt: skip
def test_a_name_or_a_uuid_is_no_id(folder: Folder, value: str, key: str) -> None:
    folder.message(f'{MESSAGE}{{type: user, id: "{value}"}}\n')
    result = folder.run("validate")
    assert (result.code, "[id-form]" in result.out, key in result.out) == (1, True, True)
    folder.message(f'{MESSAGE}{{type: user, user_id: "{value}"}}\n')
    assert folder.run("validate").code == 0


def test_also_in_a_table(folder: Folder) -> None:
    folder.write("a.csv", f"id\n536e564f316c83104c000020\n{UUID}\n")
    folder.message(f'{MESSAGE}{{csv: ../a.csv, type: user, id: "{{{{ id }}}}"}}\n')
    result = folder.run("validate")
    assert (result.code, result.out.count("[id-form]"), "row 3 of a.csv" in result.out) == (1, 1, True)


@pytest.mark.parametrize("value", ["536e564f316c83104c000020", "a1", "25", "+49 170 1234", "a b", "u-1_x.y:z"])
def test_other_ids_are_left_alone(folder: Folder, value: str) -> None:
    folder.message(f'{MESSAGE}{{type: user, id: "{value}"}}\n')
    assert folder.run("validate").code == 0


@pytest.mark.parametrize(
    ("key", "meant"),
    [("contact_id", "id"), ("intercom_id", "id"), ("lead_id", "id"), ("external_id", "user_id"), ("mail", "email")],
)
def test_a_key_of_another_name_is_named_with_the_one_that_is_meant(folder: Folder, key: str, meant: str) -> None:
    value = "bo@example.com" if meant == "email" else "536e564f316c83104c000020"
    folder.message(f"{MESSAGE}{{type: user, {key}: {value}}}\n")
    assert f"did you mean {meant}?" in folder.run("validate").out
    folder.message(f"{MESSAGE}{{type: user, {meant}: {value}}}\n")
    assert folder.run("validate").code == 0
    folder.write("a.csv", f"{key}\n{value}\n")
    folder.message(f'{MESSAGE}{{csv: ../a.csv, type: user, {key}: "{{{{ {key} }}}}"}}\n')
    assert f"did you mean {meant}?" in folder.run("validate").out
