#!/bin/sh
# After the files of a deb or rpm are there. It never fails a package: what it cannot do, it says.
set -e

if ! getent passwd meantime >/dev/null 2>&1; then
  if command -v systemd-sysusers >/dev/null 2>&1; then
    systemd-sysusers meantime.conf
  else
    useradd --system --user-group --no-create-home --home-dir /var/lib/meantime --shell /usr/sbin/nologin meantime
  fi
fi

# The configuration may name passwords of databases: its readers are root and Meantime.
chown root:meantime /etc/meantime
chmod 0750 /etc/meantime
if [ -e /etc/meantime/meantime.yml ]; then # it may be removed: the environment can configure all of it
  chown root:meantime /etc/meantime/meantime.yml
  chmod 0640 /etc/meantime/meantime.yml
fi

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # An update goes on with the new program where the old one ran; a first installation starts nothing that nobody has configured.
  systemctl try-restart meantime.service || echo "meantime was not started again; journalctl -u meantime says why" >&2
fi
