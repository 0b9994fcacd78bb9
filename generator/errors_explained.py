"""The codes of messages that end a command; no rule finds them, so they refute nothing."""

from __future__ import annotations

from generator.rules.base import Code

ERRORS: dict[str, Code] = {
    "SETTING": Code(
        "lanebook.yml or pins.yml has a setting that is not known, or a value that it cannot have.",
        "A setting that is passed over in silence would make people believe that it holds.",
        "Correct the key that the message names.",
    ),
    "DIGEST-FORM": Code(
        "A text is not a SHA-256 digest of 64 lower-case hexadecimal digits.",
        "An abbreviated hash, or one in another form, pins nothing.",
        "Write the whole digest in lower case, as sha256sum prints it.",
    ),
    "IMPORT-EXISTS": Code(
        "The folder of an imported lane is there already, with other content.",
        "What somebody wrote is never replaced by an import.",
        "Move the folder away, or import into another root.",
    ),
    "IMPORT-COLLISION": Code(
        "Two documents would become one lane, and state nothing that makes them one.",
        "Lanes that are not the same must not be mixed.",
        "Import them into two roots, or give the lanes their ids by hand.",
    ),
    "IMPORT-WRITE": Code(
        "An imported lane could not be written.",
        "The disk refused; no half lane is left behind.",
        "See to what the message names, and import again.",
    ),
}
