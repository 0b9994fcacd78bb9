"""The codes by which a rehearsal is refused; each ends the command, and leaves nothing behind."""

from __future__ import annotations

from generator.errors import InputError
from generator.rules.base import Code

_SOURCE = "Name another file, or take a copy of it with its own tools."
_CHANGE = "Correct the change script at the line that is named."

REHEARSE_CODES: dict[str, Code] = {
    "REHEARSE-LANE": Code(
        "The id of the lane to rehearse is no safe name.",
        "A lane's id is the name of its folder, on every system.",
        "Choose an id of ASCII letters, digits, '.', '_' and '-'.",
    ),
    "REHEARSE-EXISTS": Code(
        "The lane to rehearse is there already, or pins.yml knows it with another tree hash.",
        "Sealed evidence is never replaced.",
        "Choose another id; a second rehearsal is a second lane.",
    ),
    "REHEARSE-PRODUCTION": Code(
        "The path of the source, or the id of the lane, has a word for production in it.",
        "A rehearsal never opens what may be production, not even to read it.",
        "Copy the database to a place that is plainly not production. Nothing overrides this.",
    ),
    "REHEARSE-SOURCE": Code(
        "The source is no SQLite database that can be read.",
        "A clone of something that was not read whole is a clone of nothing.",
        _SOURCE,
    ),
    "REHEARSE-LOCKED": Code(
        "Another program holds the database, or wrote to it while it was copied.",
        "A copy that is made meanwhile may be half of each.",
        "Let the other program finish, or rehearse on a copy that it made.",
    ),
    "REHEARSE-DUMP": Code(
        "The dump cannot be loaded at the line that is named.",
        "A clone that lacks a part of its source shows nothing about the rest.",
        "Dump again, for SQLite; 'sqlite3 FILE .dump' writes one that can be loaded.",
    ),
    "REHEARSE-CANONICAL": Code(
        "The database has, or would get, something that has no canonical SQL text.",
        "Whether it came back after the rollback could not be seen; virtual tables are of this"
        " kind.",
        "Rehearse on a source without it.",
    ),
    "REHEARSE-SIZE": Code(
        "The database, the dump or the change is too large for a rehearsal.",
        "A packet holds the text of the clone ten times.",
        "Rehearse on a smaller clone that has the same schema.",
    ),
    "REHEARSE-SYNTAX": Code(
        "The change script has a statement that is no SQL of SQLite.",
        "What cannot be run cannot be rehearsed.",
        _CHANGE,
    ),
    "REHEARSE-CHANGE": Code(
        "A statement of the change script fails on the clone.",
        "What fails on the clone fails on what it is a clone of.",
        _CHANGE,
    ),
    "REHEARSE-TRANSACTION": Code(
        "The change script begins or ends a transaction, opens another file, or does what has no"
        " effect or no place inside a transaction.",
        "The rehearsal takes the change back by its own transaction, and only by that.",
        "Take the statement out of the change script.",
    ),
    "REHEARSE-NO-CHANGE": Code(
        "The change script changes nothing on the clone.",
        "A rollback of nothing proves nothing.",
        "Rehearse the change that is meant, on a source to which it applies.",
    ),
    "REHEARSE-UNSTABLE": Code(
        "The change gives another state each time it is applied.",
        "Nobody could make the packet again, or say what the change will do.",
        "Write the values into the script that it now takes from the clock, from chance or from"
        " the machine.",
    ),
    "REHEARSE-TIME": Code(
        "The change, or the dump, takes longer than a rehearsal waits.",
        "A statement that never ends would hold the rehearsal for ever.",
        "Look for a loop in it, or rehearse on a smaller clone.",
    ),
    "REHEARSE-FOREIGN-CLONE": Code(
        "The clone folder is not the one that this run made.",
        "What is in it may be somebody's; it is neither used nor removed.",
        "Find out who put it there, and rehearse again.",
    ),
    "REHEARSE-INPUT": Code(
        "The blocker map or the governance addendum that was given cannot be used.",
        "It goes into the packet as it is, so it has to be whole.",
        "Correct the file that is named.",
    ),
    "REHEARSE-RUN": Code(
        "The rehearsal could not be run to its end.",
        "Half a rehearsal proves nothing, so nothing was kept.",
        "See to what the message names, and rehearse again.",
    ),
    "REHEARSE-REFUTED": Code(
        "The rehearsed lane would not verify.",
        "A lane that contradicts itself is not put beside the others.",
        "See to what the message names: mostly a file or a text that was given.",
    ),
}


def refused(code: str, problem: str, *place: str) -> InputError:
    """Return the error that ends a rehearsal."""
    return InputError(problem, code=code, place=place)
