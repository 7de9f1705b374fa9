"""The link that signs a browser in: its code works once, for ten minutes, and is traded for the password."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from dataclasses import dataclass, field

from pydantic import SecretStr

from tasks.workspace.access import sign

SIGN_IN_PATH = "/packshot/sign-in"
VALID_SECONDS = 600
MAC_BYTES = 16
TIME_BYTES = 8
ANOTHER = "packshot sign-in prints another."
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Packshot: sign in</title>
<style nonce="{nonce}">
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 34em; margin: 20vh auto; padding: 0 1em; }}
  body {{ color: #1f2933; background: #fff; }}
  code {{ background: #eef1f4; padding: .1em .35em; border-radius: .25em; }}
  @media (prefers-color-scheme: dark) {{
    body {{ color: #e4e7eb; background: #14181d; }}
    code {{ background: #2a323b; }}
  }}
</style>
<h1>Packshot: {title}</h1>
<p id="said" role="status">Signing in …</p>
<noscript><p>This page needs JavaScript.</p></noscript>
<script nonce="{nonce}">
const said = document.getElementById("said");
const keep = ({{authorization, user, password}}) => {{ {keep} }};
(async () => {{
  const code = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  const answer = await fetch(location.pathname, {{method: "POST", body: code}});
  if (!answer.ok) {{
    said.innerHTML = "This link was used before, or is older than ten minutes. " +
      "For a new one, run <code>packshot sign-in</code> in the checkout.";
    return;
  }}
  await keep(await answer.json());
  location.replace("/");
}})().catch(() => {{ said.textContent = "The server does not answer. Is packshot up still running?"; }});
</script>
"""


def issue_code(key: SecretStr, port: int, now_ns: int | None = None) -> str:
    """A code for the server on `port`; whoever knows the home's key can make one."""
    made = (time.time_ns() if now_ns is None else now_ns).to_bytes(TIME_BYTES, "big")
    return base64.urlsafe_b64encode(made + _mac(key, port, made)).decode()


def sign_in_link(url: str, key: SecretStr, port: int) -> str:
    """The link for a browser; what follows `#` is not sent to a server and not written to any log."""
    return f"{url}{SIGN_IN_PATH}#{issue_code(key, port)}"


def _mac(key: SecretStr, port: int, made: bytes) -> bytes:
    return sign(key, "sign-in", port, made.hex())[:MAC_BYTES]


@dataclass
class Codes:
    """The codes of one running server: none from before it started, none twice, none that is old."""

    key: SecretStr
    port: int
    _started: int = field(default_factory=time.time_ns)
    _spent: set[int] = field(default_factory=set)

    def accept(self, code: str, now_ns: int | None = None) -> bool:
        """True for a good code, once."""
        now = time.time_ns() if now_ns is None else now_ns
        try:
            content = base64.b64decode(code.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return False
        made = int.from_bytes(content[:TIME_BYTES], "big")
        genuine = hmac.compare_digest(content[TIME_BYTES:], _mac(self.key, self.port, content[:TIME_BYTES]))
        oldest = now - VALID_SECONDS * 10**9
        self._spent = {one for one in self._spent if one >= oldest}
        if not genuine or made in self._spent or made < max(oldest, self._started):
            return False
        self._spent.add(made)
        return True
