#!/bin/sh
# Before the files go. On an update nothing stops here: the new package restarts what runs.
set -e

case "$1" in
  upgrade|1) exit 0 ;;   # deb: upgrade; rpm: how many stay
esac
if [ -d /run/systemd/system ]; then
  systemctl disable --now meantime.service
fi
