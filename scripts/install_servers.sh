#!/bin/sh
# Installs the servers that the tests of publishing run, as root on Debian. Debian starts a service
# as soon as it is installed; here none is to run, so for that long it is told not to.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
present() { for name in nginx sshd ssh rsync git openssl; do command -v "$name" >/dev/null || return 1; done; }

present && exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 1
policy=/usr/sbin/policy-rc.d
if ! [ -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
    nginx-light openssh-server openssh-client rsync git openssl >/dev/null
present
