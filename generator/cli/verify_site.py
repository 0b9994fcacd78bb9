"""``lanebook verify-site``."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.terminal import Output
from generator.errors import UsageError
from generator.exits import Exit
from generator.render.words import plural

MOST_LINES = 200
"""Files that are named; the rest are counted."""


@click.command("verify-site")
@click.argument("site", metavar="URL-OR-FOLDER")
@click.option(
    "--manifest-digest", metavar="HEX", help="The digest that 'lanebook publish' printed."
)
@click.option(
    "--csp",
    is_flag=True,
    help="Print the Content-Security-Policy under which the site in the folder works.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    help="All that may be fetched from a URL; default: 4 GiB.",
)
@click.option(
    "--max-seconds", type=click.IntRange(1), help="How long a URL may take; default: 3600."
)
@click.pass_obj
def verify_site(
    output: Output,
    site: str,
    manifest_digest: str | None,
    csp: bool,
    max_bytes: int | None,
    max_seconds: int | None,
) -> int:
    """Hold a published copy against its SITE_MANIFEST.txt: what is missing, differs, is extra.

    A folder, or an http or https URL. Of a URL every listed file is fetched; what is not listed
    cannot be seen there. Redirects are followed within the same origin only.

    A copy that fits its own manifest is consistent; that alone does not show who made it. Give
    --manifest-digest, from where you trust it, to know that it is the site you mean.

    \b
    Exit codes: 0 the copy is as its manifest lists, and has the digest that was given; 1 it is
    not; 2 wrong usage; 3 there is no manifest, or it could not be read whole.

    \b
    Examples:
      lanebook verify-site https://lanes.example.org/
      lanebook verify-site /srv/www/lanes --manifest-digest 0f9c…
      lanebook verify-site site/html --csp
    """
    from generator.errors import InputError
    from generator.model.digest import parse_digest
    from generator.names import visible
    from generator.publish import check, policy
    from generator.publish.codes import PublishRefused

    is_url = "://" in site
    wanted = None
    if manifest_digest is not None:
        try:
            wanted = parse_digest(manifest_digest)
        except InputError as error:
            raise UsageError(f"--manifest-digest: {error.problem}") from error
    if is_url and csp:
        raise UsageError("--csp needs a folder")
    if not is_url and not Path(site).is_dir():
        raise UsageError(f"{visible(site, 200)}: no such folder, and no URL")
    try:
        if is_url:
            checked = check.url(
                site,
                most_bytes=max_bytes or check.MOST_BYTES,
                seconds=max_seconds or check.SECONDS,
                progress=output.phase("fetching", 0),
            )
        else:
            checked = check.folder(Path(site))
    except PublishRefused as error:
        output.error(f"no verdict: {error} ({error.code})")
        return error.exit_code
    lines = checked.differences.lines()
    if wanted is not None and checked.digest != wanted:
        lines.insert(0, f"SITE-DIGEST  {checked.digest} is the manifest's, not {wanted}")
    code = Exit.REFUTED if lines else Exit.VERIFIED
    if csp and not lines:
        output.result(policy.policy(check.shown(Path(site))))
        return code
    for line in lines[:MOST_LINES]:
        output.result(line)
    if len(lines) > MOST_LINES:
        output.result(f"… and {len(lines) - MOST_LINES} more")
    output.result(f"manifest  {checked.digest}, {plural(checked.files, 'file')}")
    if lines:
        output.result(f"{plural(len(lines), 'difference')}: this is not the site of that manifest")
    else:
        known = "the digest is the one given" if wanted else "who made it is not shown by that"
        seen = "; what is not listed cannot be seen from here" if is_url else ""
        output.result(f"consistent: every listed file is as listed; {known}{seen}")
    return code
