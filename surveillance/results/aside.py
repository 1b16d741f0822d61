"""Aside: a subject whose images fail again and again, and why; it is not tried for ever."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from surveillance.errors import ResultsError
from surveillance.results.place import Place

ASIDE = "aside"
TRIES_MAX = 2


class Aside(BaseModel):
    """What failed; it holds as long as the inputs carry the same `stamp`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str
    subject: str
    stamp: str
    tries: int
    code: str
    message: str

    @property
    def given_up(self) -> bool:
        """Whether it is not tried again before something changes."""
        return self.tries >= TRIES_MAX


def read_asides(place: Place) -> dict[tuple[str, str], Aside]:
    """Return all that failed, by site and subject."""
    found = {}
    for entry in place.entries(ASIDE):
        try:
            aside = Aside.model_validate_json(place.read(entry.name))
        except FileNotFoundError:  # another process has just done it
            continue
        except ValidationError as error:
            raise ResultsError("results_altered", file=entry.name) from error
        found[aside.site, aside.subject] = aside
    return found


def give_up(place: Place, site: str, subject: str, code: str, message: str) -> None:
    """Note a subject that never came to be tried: no image of it could be used."""
    aside = Aside(site=site, subject=subject, stamp="", tries=TRIES_MAX, code=code, message=message)
    save_aside(place, aside)


def save_aside(place: Place, aside: Aside) -> None:
    """Note a failure.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    content = aside.model_dump_json(indent=1) + "\n"
    place.write(_name(aside.site, aside.subject), content.encode("utf-8"))


def clear_aside(place: Place, site: str, subject: str) -> None:
    """Forget the failures of a subject that was assessed."""
    place.remove(_name(site, subject))


def _name(site: str, subject: str) -> str:
    return f"{ASIDE}/{site}/{subject}.json"
