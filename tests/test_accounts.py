from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from reading_room import CHEAP, Hand, open_room, password_of
from sqlalchemy import select

from readers import accounts, audit_view, sessions, tables
from readers.account_policy import AccountPolicy
from readers.actor import Role
from readers.errors import AccountError, ForbiddenError, NotFoundError, ReasonError, SessionError
from readers.passwords import ALPHABET, hashed, matches, random_password
from readers.store import open_store


def accounts_of(room):
    return {a.name: a for a in accounts.every(room.store, room.admin)}


def test_a_new_store_has_no_account_and_the_first_one_gets_a_random_password(store_url):
    store = open_store(store_url, policy=CHEAP)
    with pytest.raises(SessionError):
        sessions.sign_in(store, "admin", "admin")
    password = accounts.create_first_administrator(store, "admin", "Admin")
    assert len(password) == 16
    assert set(password) <= set(ALPHABET)
    signed_in = sessions.sign_in(store, "admin", password)
    assert signed_in.actor.role is Role.ADMINISTRATOR
    assert signed_in.account.password_temporary
    with pytest.raises(AccountError, match="accounts already"):
        accounts.create_first_administrator(store, "admin2", "Admin")
    store.close()


def test_passwords_are_argon2id_with_rfc_9106_costs_and_no_two_hashes_are_alike():
    policy = AccountPolicy()
    first, second = hashed("correct horse battery", policy), hashed("correct horse battery", policy)
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert first != second
    assert matches("correct horse battery", first, policy)
    assert not matches("correct horse", first, policy)
    assert not matches("x" * 100_000, first, policy)
    assert not matches("anything", None, CHEAP)
    assert not matches("anything", "no hash", CHEAP)
    assert random_password() != random_password()


@pytest.mark.parametrize("password", ["short", "x" * 1001])
def test_a_password_has_a_least_and_a_greatest_length(password):
    with pytest.raises(AccountError, match="12 to 1000"):
        hashed(password, CHEAP)


@pytest.mark.parametrize("name", ["", "A", "Anna", "a b", "-a", "x" * 41, "system", "a\0b"])
def test_a_sign_in_name_is_plain(sqlite_room, name):
    with pytest.raises(AccountError, match="sign-in name"):
        accounts.create(sqlite_room.store, sqlite_room.admin, name, "Name", Role.READER)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b"])
def test_a_display_name_is_there_and_not_endless(sqlite_room, name):
    with pytest.raises(AccountError, match="1 to 100"):
        accounts.create(sqlite_room.store, sqlite_room.admin, "anna", name, Role.READER)


def test_a_name_is_given_once(sqlite_room):
    with pytest.raises(AccountError, match="taken"):
        accounts.create(sqlite_room.store, sqlite_room.admin, "reader1", "Other", Role.READER)


def test_only_an_administrator_makes_accounts(sqlite_room):
    for name in ("reader1", "judge", "coordinator"):
        with pytest.raises(ForbiddenError, match="for the role administrator"):
            accounts.create(
                sqlite_room.store, sqlite_room.people[name], "anna", "Anna", Role.READER
            )
    with pytest.raises(ForbiddenError):
        accounts.every(sqlite_room.store, sqlite_room.reader1)


def test_after_five_wrong_passwords_the_account_is_locked_even_for_the_right_one(room):
    for _ in range(4):
        with pytest.raises(SessionError, match="wrong"):
            sessions.sign_in(room.store, "reader1", "wrong password")
    with pytest.raises(SessionError, match="locked for 15 minutes"):
        sessions.sign_in(room.store, "reader1", "wrong password")
    with pytest.raises(SessionError, match="locked for 15 minutes"):
        sessions.sign_in(room.store, "reader1", password_of("reader1"))
    assert accounts_of(room)["reader1"].locked
    room.clock.now += timedelta(minutes=15)
    assert sessions.sign_in(room.store, "reader1", password_of("reader1")).actor == room.reader1
    assert not accounts_of(room)["reader1"].locked


def test_a_lock_out_that_ran_out_gives_all_tries_again_as_a_right_password_does(
    sqlite_room,
):
    store = sqlite_room.store
    for _ in range(2):
        for _ in range(5):
            with pytest.raises(SessionError):
                sessions.sign_in(store, "reader1", "wrong password")
        sqlite_room.clock.now += timedelta(minutes=15)
    for _ in range(4):
        with pytest.raises(SessionError, match="wrong"):
            sessions.sign_in(store, "reader1", "wrong password")
    sessions.sign_in(store, "reader1", password_of("reader1"))
    with pytest.raises(SessionError, match="wrong"):
        sessions.sign_in(store, "reader1", "wrong password")


def test_an_administrator_ends_a_lock_out(sqlite_room):
    for _ in range(5):
        with pytest.raises(SessionError):
            sessions.sign_in(sqlite_room.store, "reader1", "wrong password")
    accounts.unlock(sqlite_room.store, sqlite_room.admin, "reader1")
    sessions.sign_in(sqlite_room.store, "reader1", password_of("reader1"))


def test_an_unknown_name_is_refused_in_the_same_words_as_a_wrong_password(sqlite_room):
    refusals = []
    for name in ("reader1", "nobody", "'; DROP TABLE account; --"):
        with pytest.raises(SessionError) as refused:
            sessions.sign_in(sqlite_room.store, name, "wrong password")
        refusals.append(str(refused.value))
    assert len(set(refusals)) == 1


def test_what_was_typed_for_an_unknown_name_is_not_written_down(sqlite_room):
    with pytest.raises(SessionError):
        sessions.sign_in(sqlite_room.store, "my-secret-password", "x")
    newest = audit_view.entries(sqlite_room.store, sqlite_room.admin)[0]
    assert (newest.action, newest.target) == ("session.refused", "account:unknown")
    assert "secret" not in repr(newest)


def test_a_session_ends_after_thirty_minutes_without_use_and_not_before(room):
    token = room.tokens["reader1"]
    for _ in range(3):
        room.clock.now += timedelta(minutes=29)
        assert sessions.resume(room.store, token) == room.reader1
    room.clock.now += timedelta(minutes=31)
    with pytest.raises(SessionError, match="30 minutes without use"):
        sessions.resume(room.store, token)
    with pytest.raises(SessionError, match="signed out"):
        sessions.resume(room.store, token)


def test_a_session_in_use_all_the_time_ends_after_twelve_hours(sqlite_room):
    token, hours = sqlite_room.tokens["reader1"], 0.0
    with pytest.raises(SessionError, match="longest time"):
        while hours < 13:
            sqlite_room.clock.now += timedelta(minutes=20)
            hours += 1 / 3
            sessions.resume(sqlite_room.store, token)
    assert 12 <= hours < 12.5


def test_a_clock_set_back_by_a_day_ends_sessions_and_by_a_minute_does_not(sqlite_room):
    token = sqlite_room.tokens["reader1"]
    sqlite_room.clock.now -= timedelta(minutes=1)
    assert sessions.resume(sqlite_room.store, token) == sqlite_room.reader1
    sqlite_room.clock.now -= timedelta(days=1)
    with pytest.raises(SessionError):
        sessions.resume(sqlite_room.store, token)


def test_signing_out_ends_the_session_and_twice_is_no_error(sqlite_room):
    sessions.sign_out(sqlite_room.store, sqlite_room.tokens["reader1"])
    with pytest.raises(SessionError, match="signed out"):
        sessions.resume(sqlite_room.store, sqlite_room.tokens["reader1"])
    sessions.sign_out(sqlite_room.store, sqlite_room.tokens["reader1"])


@pytest.mark.parametrize("token", ["", "guess", "x" * 10_000, "\0"])
def test_a_token_that_was_never_given_is_refused(sqlite_room, token):
    with pytest.raises(SessionError, match="signed out"):
        sessions.resume(sqlite_room.store, token)


def test_the_store_keeps_no_token_and_no_password(room):
    with room.store.reading() as connection:
        kept = repr(connection.execute(select(tables.session)).all())
        kept += repr(connection.execute(select(tables.account)).all())
        kept += repr(connection.execute(select(tables.audit)).all())
    for secret in (*room.tokens.values(), password_of("reader1")):
        assert secret not in kept


def test_old_sessions_are_swept_away_at_the_next_sign_in(sqlite_room):
    sqlite_room.clock.now += timedelta(hours=13)
    sessions.sign_in(sqlite_room.store, "reader1", password_of("reader1"))
    table = tables.session
    with sqlite_room.store.reading() as connection:
        mine = table.c.account_id == sqlite_room.reader1.account_id
        assert len(connection.execute(select(table).where(mine)).all()) == 1


def test_changing_a_password_needs_the_old_one_and_a_new_one(sqlite_room):
    store, actor = sqlite_room.store, sqlite_room.reader1
    old = password_of("reader1")
    with pytest.raises(AccountError, match="was not changed: Name or password are wrong"):
        accounts.change_password(store, actor, "wrong password", "another password")
    with pytest.raises(AccountError, match="is the old one"):
        accounts.change_password(store, actor, old, old)
    accounts.change_password(store, actor, old, "another password")
    with pytest.raises(SessionError):
        sessions.sign_in(store, "reader1", old)
    assert not sessions.sign_in(store, "reader1", "another password").account.password_temporary


def test_a_reset_gives_a_temporary_password_and_ends_all_sessions(sqlite_room):
    password = accounts.reset_password(sqlite_room.store, sqlite_room.admin, "reader1")
    with pytest.raises(SessionError):
        sessions.resume(sqlite_room.store, sqlite_room.tokens["reader1"])
    assert sessions.sign_in(sqlite_room.store, "reader1", password).account.password_temporary


def test_a_closed_account_signs_in_no_more_and_its_sessions_end(sqlite_room):
    store = sqlite_room.store
    with pytest.raises(ReasonError, match="Say why"):
        accounts.disable(store, sqlite_room.admin, "reader1", "  ")
    accounts.disable(store, sqlite_room.admin, "reader1", "left the trial")
    with pytest.raises(SessionError):
        sessions.sign_in(store, "reader1", password_of("reader1"))
    with pytest.raises(SessionError):
        sessions.resume(store, sqlite_room.tokens["reader1"])
    newest = next(
        e for e in audit_view.entries(store, sqlite_room.admin) if e.action == "account.disabled"
    )
    assert newest.reason == "left the trial"


def test_an_unknown_account_cannot_be_changed(sqlite_room):
    with pytest.raises(NotFoundError, match="no account nobody"):
        accounts.unlock(sqlite_room.store, sqlite_room.admin, "nobody")


CLAIMS = {"iss": "https://id.example", "sub": "42", "email": "anna@example.org"}


def test_an_identity_signs_in_by_issuer_and_subject(sqlite_room):
    store = sqlite_room.store
    with pytest.raises(SessionError, match="No open account belongs"):
        sessions.sign_in_by_identity(store, CLAIMS)
    accounts.map_identity(store, sqlite_room.admin, "reader1", "https://id.example|42")
    assert sessions.sign_in_by_identity(store, CLAIMS).actor == sqlite_room.reader1
    with pytest.raises(SessionError):
        sessions.sign_in_by_identity(store, CLAIMS | {"sub": "43"})


def test_an_e_mail_is_an_identity_only_when_the_provider_verified_it(sqlite_room):
    store = sqlite_room.store
    accounts.map_identity(store, sqlite_room.admin, "reader1", "anna@example.org")
    for unverified in (CLAIMS, CLAIMS | {"email_verified": "true"}):
        with pytest.raises(SessionError):
            sessions.sign_in_by_identity(store, unverified)
    verified = CLAIMS | {"email_verified": True}
    assert sessions.sign_in_by_identity(store, verified).actor == sqlite_room.reader1
    accounts.disable(store, sqlite_room.admin, "reader1", "left")
    with pytest.raises(SessionError):
        sessions.sign_in_by_identity(store, verified)


def test_an_identity_belongs_to_one_account(sqlite_room):
    store, admin = sqlite_room.store, sqlite_room.admin
    accounts.map_identity(store, admin, "reader1", "https://id.example|42")
    accounts.map_identity(store, admin, "reader1", "https://id.example|42")
    with pytest.raises(AccountError, match="belongs to another"):
        accounts.map_identity(store, admin, "reader2", "https://id.example|42")
    accounts.map_identity(store, admin, "reader1", None)
    accounts.map_identity(store, admin, "reader2", "https://id.example|42")
    assert sessions.sign_in_by_identity(store, CLAIMS).actor == sqlite_room.reader2


def test_the_operator_s_policy_is_what_counts(tmp_path):
    strict = replace(CHEAP, failures_max=2, lockout_minutes=1.0)
    room = open_room(f"sqlite:///{tmp_path / 's.sqlite'}", policy=strict)
    for _ in range(2):
        with pytest.raises(SessionError) as refused:
            sessions.sign_in(room.store, "reader1", "wrong password")
    assert "locked for 1 minutes" in str(refused.value)
    room.store.close()


def test_a_hand_clock_goes_on_by_itself():
    hand = Hand(datetime(2026, 1, 1, tzinfo=UTC))
    assert hand() < hand()
