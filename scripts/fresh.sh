#!/usr/bin/env bash
# Proves the two commands of the README on a machine that has only Debian 12,
# Go, Node, npm and make: in a bare tree, which is removed afterwards. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null
tree=$(mktemp -d /var/tmp/keywright-fresh.XXXXXX)
chmod 755 "$tree" # its / must be open to the user postgres
goroot=$(go env GOROOT)

cleanup() {
  umount -l "$tree$goroot" "$tree/proc" "$tree/dev" 2>/dev/null || true
  mountpoint -q "$tree/dev" || rm -rf --one-file-system "$tree"
}
trap cleanup EXIT

# The mirror and its keys are this machine's own.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
debootstrap --variant=minbase --include=ca-certificates,make,git bookworm "$tree" "$mirror" >/dev/null
rm -f "$tree/etc/apt/sources.list"
cp -a /etc/apt/. "$tree/etc/apt/"
cp -aL /usr/share/keyrings/. "$tree/usr/share/keyrings/"
cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/"

mkdir -p "$tree$goroot"
mount --bind "$goroot" "$tree$goroot"
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev" && mount --make-rslave "$tree/dev"
git clone -q . "$tree/root/keywright"

inside() { chroot "$tree" /bin/bash -c "export HOME=/root PATH=$goroot/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin; cd /root/keywright; $1"; }

inside 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null'
inside 'timeout -s INT 300 make run >/tmp/run.log 2>&1 & for i in $(seq 300); do grep -q "^# Call" /tmp/run.log && break; sleep 1; done; cat /tmp/run.log; kill -INT $!; wait; grep -q "^# Call" /tmp/run.log && grep -q "^Demo " /tmp/run.log'
inside 'make test'
