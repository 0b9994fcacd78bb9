"""The codes of messages that end a command; no rule finds them, so they refute nothing."""

from __future__ import annotations

from generator.publish.codes import PUBLISH_CODES
from generator.rehearse.codes import REHEARSE_CODES
from generator.rules.base import Code
from generator.seals.codes import ERRORS as GATE_ERRORS

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
    "DECIDE-NONE": Code(
        "The lane has no decision packet.",
        "An owner decides on what was put to them; here nothing was.",
        "Put the options into the lane's machine report or a decision packet, and verify.",
    ),
    "DECIDE-PACKET": Code(
        "The decision packet of the lane is refused by a rule.",
        "A decision that was steered would be recorded as if it had been free.",
        "See to what the message names, and run 'lanebook verify' on the lane.",
    ),
    "DECIDE-REFUTED": Code(
        "The lane is refuted, or has no verdict because a rule failed.",
        "Nobody should decide on evidence that does not hold.",
        "Run 'lanebook verify' on the lane, and see to what it finds.",
    ),
    "DECIDE-OPEN": Code(
        "The option executes, and blockers are open.",
        "What still stops production would be passed over in silence.",
        "Close the blockers, or record it with --despite-open-blockers, which names them.",
    ),
    "DECIDE-RECORD": Code(
        "The record would be one that lanebook itself refuses to read.",
        "A decision that cannot be read again is no record.",
        "See to what the message names, a blocker or an option with hidden characters for example.",
    ),
    "RERUN-ABSENT": Code(
        "The lane has no packet, or its packet has no RERUN.sh.",
        "There is nothing that could make the packet again.",
        "Ask whoever made the packet for the script; nobody else can write it for them.",
    ),
    "RERUN-UNPINNED": Code(
        "lane.yml does not pin RERUN.sh by its full hash.",
        "A script runs only where somebody outside the packet said which bytes they approve.",
        "Read RERUN.sh; if you want it run, write its full SHA-256 under pins: in lane.yml.",
    ),
    "RERUN-PIN": Code(
        "RERUN.sh has another hash than the one that lane.yml pins.",
        "The bytes that were approved are not the bytes that would run.",
        "Put the approved script back, or read the new one and have its hash pinned.",
    ),
    "RERUN-SEAL": Code(
        "The packet is not sound, so its script did not run.",
        "There is no sealed state with which a result could be compared.",
        "Run 'lanebook verify' on the lane, and see to what it finds.",
    ),
    "RERUN-INPUTS": Code(
        "inputs.txt names something that the manifest of the packet does not list.",
        "Only sealed bytes are given to the script.",
        "Correct inputs.txt: one path of the packet a line; then seal the packet again.",
    ),
    "RERUN-NO-SANDBOX": Code(
        "The script cannot be locked in on this machine, so it did not run.",
        "Without bubblewrap and user namespaces it could reach whatever you can reach.",
        "Install bubblewrap, allow user namespaces, or run it on a machine that has both.",
    ),
    "RERUN-TIMEOUT": Code(
        "The script ran longer than it may, and was ended with all that it had started.",
        "What it left until then says nothing.",
        "Give it more time with --time if you know that it needs it.",
    ),
    "RERUN-LIMIT": Code(
        "The script took more memory, disk or output than it may, or is given more than that.",
        "What it left until then says nothing; or it did not run at all.",
        "Raise --memory or --disk if you know that it needs it.",
    ),
    "RERUN-DIFFERS": Code(
        "What the script made is not what was sealed; the files are named.",
        "The packet does not come from its own inputs by its own script, here at least.",
        "Compare the named files; look for a clock, a random name or another program version.",
    ),
    "RERUN-UNFINISHED": Code(
        "The script ended with an exit code that says it did not get through.",
        "The files that it left are not all that it would have made.",
        "Read the last lines that it printed; it may need a program that is not installed.",
    ),
    "RERUN-CLAIMED": Code(
        "The script left no files in the folder that LANEBOOK_OUT names.",
        "lanebook saw nothing that it could hash; the word of the script is a claim.",
        "Make RERUN.sh copy the packet that it made into that folder, and seal and pin it anew.",
    ),
    "RERUN-COPIED": Code(
        "The files match, but the script was given every one of them.",
        "It could have copied them, so nothing was made again.",
        "List the inputs in inputs.txt of the packet; the other files are then kept from it.",
    ),
    "SUMMARY-PLACE": Code(
        "--summary names a place where nothing may be written: a link, something among the packets,"
        " or a file that is no summary.",
        "Packets are evidence and only read, and what somebody else wrote is not written over.",
        "Name a new file, or an earlier summary, in a folder outside packets/.",
    ),
    "SUMMARY-WRITE": Code(
        "The summary could not be written.",
        "The disk refused; an earlier summary there is as it was, and says nothing of this run.",
        "See to what the message names, and verify again.",
    ),
    "SUMMARY-NONE": Code(
        "No packet with a tree hash was verified, so there is no summary; an earlier one is gone.",
        "A statement is about something with a digest; claims alone have none.",
        "Name a lane or a packet with evidence, or leave --summary out.",
    ),
    **REHEARSE_CODES,
    **GATE_ERRORS,
    **PUBLISH_CODES,
}
