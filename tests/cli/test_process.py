"""?"""

from tests.support.project import SEED, Folder


def test_an_endless_template_is_ended_and_told(folder: Folder) -> None:
    loop = "".join(f"{{% for {name} in range(9999) %}}" for name in "abc") + "{% endfor %}" * 3
    folder.message(SEED.replace("body: Ponies", f"body: '{loop}Ponies").replace("sinister?", "sinister?'"))
    ran = folder.run("validate")
    assert ran.code == 1
    assert "rendering takes longer than 2 seconds [too-slow]" in ran.out
