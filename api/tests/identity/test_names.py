"""Names that look like the tutor or staff are refused. People's names in any script are accepted."""

import httpx

REFUSED = [
    "tutor", "Tutor", "TUT0R", "Тutor", "ТUТОR", "tutor ", "TuToR", "Tu tor", "t.u.t.o.r", "túţōr", "ＴＵＴＯＲ",
    "ᴛᴜᴛᴏʀ", "𝐭𝐮𝐭𝐨𝐫", "🅣🅤🅣🅞🅡", "ⓣⓤⓣⓞⓡ", "ʇutor", "Tutor™", "tutor\u00ad", "\u202erotut", "Tutor Ann", "Ann Tutor",
    "TutorAnn", "tutordesk", "Tutor-Desk", "ad\u200bmin", "ａｄｍｉｎ", "A d m i n", "A.d.m.i.n Ann", "Admin1", "adm1n",
    "admln", "ADMlN", "@dm!n", "adrnin", "admın", "ádmin", "ɑdmin", "🅰🅳🅼🅸🅽", "🇦🇩🇲🇮🇳", "Ann (admin)", "agent", "аgent",
    "agent47", "systern", "Support_Team", "Moderator", "4ssistant", "administrator", "AI", "ai", "A.I.", "B0T", "4ll",
    "@here", "aI", "everyone", "All",
]  # fmt: skip
UNUSABLE = {
    "empty": "",
    "blank": " \u00a0\u3000",
    "too long": "x" * 41,
    "punctuation": "---",
    "picture": "🦊",
    "filler": "\u3164",
    "blank Braille": "\u2800",
    "zero": "a\x00b",
    "two lines": "Ann\nLee",
    "joiner": "Ann\u200dLee",
    "joiner at the end": "علی\u200c",
    "joiner beside Latin": "علی\u200cAnn",
    "two joiners": "علی\u200c\u200cرضا",
    "joiner without a picture": "Ann 👩\u200d",
    "tag": "Ann\U000e0041",
    "isolate": "\u2066Ann\u2069",
    "private": "Ann\ue000",
    "unassigned": "Ann\u0378",
    "marks": "A" + "\u0301" * 9 + "nn",
    "Cyrillic in Latin": "раypal",
    "Greek in Latin": "Tοm",
}
WELCOME = [
    "José", "O'Brien", "Zoë 3", "Ai Weiwei", "Alison", "Al", "Ali", "Alla", "Botond", "Agentina", "Hereward", "Bernard",
    "R2D2", "Jean-Luc", "Dr. Who", "Ann (she/her)", "Łukasz", "Søren", "Nguyễn Văn An", "Ördög", "Þór", "Иван",
    "Іванна", "Анна Smith", "Ελένη", "李小龙", "田中さん", "Tomさん", "김민준", "محمد علی", "דוד", "हिन्दी", "สมชาย",
    "علی\u200cرضا", "Ann 👩\u200d💻", "Ai", "क\u094d\u200dष", "ശ\u0d4d\u200dരീ", "Bo 👨\u200d👩\u200d👧",
    "Cy 👋🏽",
]  # fmt: skip


async def test_names_of_staff_are_refused(mock: httpx.AsyncClient) -> None:
    for name in REFUSED:
        answer = await mock.patch("/me", json={"name": name})
        assert answer.status_code == 422, name
        assert answer.json()["errors"][0]["field"] == "name"
        assert "set-cookie" not in answer.headers


async def test_unusable_names_are_refused(mock: httpx.AsyncClient) -> None:
    for why, name in UNUSABLE.items():
        answer = await mock.patch("/me", json={"name": name})
        assert answer.status_code == 422, why
        assert answer.json()["errors"][0]["field"] == "name"


async def test_names_of_people_are_accepted(mock: httpx.AsyncClient) -> None:
    for name in WELCOME:
        answer = await mock.patch("/me", json={"name": name})
        assert answer.status_code == 200, (name, answer.text)
        assert answer.json()["name"] == name


async def test_name_is_cleaned(mock: httpx.AsyncClient) -> None:
    answer = await mock.patch("/me", json={"name": "  Zoe\u0308 \u00a0 Lee "})
    assert answer.json()["name"] == "Zoë Lee"


async def test_two_people_may_have_the_same_name(mock: httpx.AsyncClient) -> None:
    ids = set()
    for _ in range(2):
        mock.cookies.clear()
        ids.add((await mock.patch("/me", json={"name": "Ann"})).json()["id"])
    assert len(ids) == 2
