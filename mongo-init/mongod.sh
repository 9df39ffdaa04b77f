#!/usr/bin/env bash
# Starts the mongod of compose.yaml: a replica set of one that requires a sign-in.
#
# The first start makes the key by which members of the set recognise each other. The key never leaves the data's
# volume. Further arguments go to mongod. Tests set MONGOD and KEY_FILE.
set -euo pipefail
umask 077

key_file=${KEY_FILE:-/data/db/keyfile}
if [ ! -s "$key_file" ]; then
  rm -f "$key_file.new"
  head -c 756 /dev/urandom | base64 -w 0 >"$key_file.new"
  chmod 0400 "$key_file.new"
  mv "$key_file.new" "$key_file" # so that a key file is either whole or missing
fi

exec "${MONGOD:-mongod}" --replSet tutordesk --keyFile "$key_file" --noscripting --networkMessageCompressors disabled \
  --oplogMinRetentionHours 24 --setParameter transactionLifetimeLimitSeconds=3 --quiet "$@"
