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
        "The source is no database or dump that can be read.",
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
        "The database has, or would get, something that has no canonical text.",
        "Whether it came back after the rollback could not be seen; virtual tables of SQLite and"
        " operators of PostgreSQL are of this kind.",
        "Rehearse on a source without it.",
    ),
    "REHEARSE-SIZE": Code(
        "The database, the dump or the change is too large for a rehearsal.",
        "A packet holds the text of a clone ten times, and the machine a dump three times.",
        "Rehearse on a smaller clone that has the same schema.",
    ),
    "REHEARSE-SYNTAX": Code(
        "A script has a statement that is no SQL of the engine.",
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
    "REHEARSE-NO-ROLLBACK": Code(
        "The change has a statement that reaches beyond its database, such as ALTER SYSTEM or"
        " CREATE DATABASE.",
        "No ROLLBACK takes it back, and no snapshot of the database holds what it changes.",
        "Take the statement out; what runs in no transaction but stays in the database, such as"
        " CREATE INDEX CONCURRENTLY, is rehearsed with the snapshot alone.",
    ),
    "REHEARSE-NO-SERVER": Code(
        "PostgreSQL's server or bubblewrap is not installed.",
        "A dump is restored on a throwaway server, and only in a sandbox.",
        "On Debian: apt-get install postgresql bubblewrap.",
    ),
    "REHEARSE-SPACE": Code(
        "There is no room left on the disk.",
        "Half a clone shows nothing about the rest.",
        "Make room where the system keeps temporary files, or set TMPDIR to a larger place.",
    ),
    "REHEARSE-DUMP-FORM": Code(
        "The dump is encrypted, or in no form that pg_dump writes.",
        "What it holds cannot be seen, so that nothing of it is run.",
        "Give a dump in plain, custom, tar or directory format, as it is or in gzip or zstd.",
    ),
    "REHEARSE-DUMP-TRUNCATED": Code(
        "The dump lacks its end, or is damaged.",
        "A clone that lacks a part of its source shows nothing about the rest.",
        "Copy or dump it again.",
    ),
    "REHEARSE-DUMP-VERSION": Code(
        "The dump was made by a newer PostgreSQL than the one that is installed here.",
        "An older server may read it as something else, or not at all.",
        "Install the version that the message names.",
    ),
    "REHEARSE-DUMP-META": Code(
        "A script has a command of psql, or a setting by which its texts would end elsewhere.",
        "A command of psql can run programs and open files; a script is SQL and nothing else.",
        "Dump again with pg_dump, without --create; take the line out of a change.",
    ),
    "REHEARSE-DUMP-PROGRAM": Code(
        "A script would run a program, or read or write a file of the server.",
        "Nothing of a dump or a change runs outside the sandbox, or needs a program.",
        "Take the statement out, or find out who put it there.",
    ),
    "REHEARSE-DUMP-ROLE": Code(
        "A script changes roles, databases, tablespaces or settings of the whole server.",
        "No state of a database shows them, so that nobody could see them come back.",
        "Dump one database with pg_dump; roles that it names are made for it, without a login.",
    ),
    "REHEARSE-DUMP-REACH": Code(
        "A script names another server: a foreign one, or a subscription.",
        "A rehearsal reaches nothing but its own throwaway.",
        "Dump without it: pg_dump --no-subscriptions, or --exclude-table.",
    ),
    "REHEARSE-DUMP-EXTENSION": Code(
        "The dump needs an extension whose files are not installed here.",
        "Without it a part of the source is missing.",
        "Install the extension's package for this version of PostgreSQL.",
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
        "A file that was given cannot be used: the blocker map, the governance addendum, what is"
        " stated of a dump, or what is required of it.",
        "What it says goes into the packet, so it has to be whole, and may hold no secret.",
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
