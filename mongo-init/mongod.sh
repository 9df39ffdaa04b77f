#!/usr/bin/env bash
# Starts the mongod of compose.yaml: a replica set of one that asks everybody who they are.
#
# The key by which members of the set know each other is made at the first start, on the data's volume, and never leaves
# it. What follows on the command line goes to mongod. MONGOD and KEY_FILE are for tests.
set -euo pipefail
umask 077

key_file=${KEY_FILE:-/data/db/keyfile}
if [ ! -s "$key_file" ]; then
  rm -f "$key_file.new"
  head -c 756 /dev/urandom | base64 -w 0 >"$key_file.new"
  chmod 0400 "$key_file.new"
  mv "$key_file.new" "$key_file" # whole, or not there
fi

exec "${MONGOD:-mongod}" --replSet tutordesk --keyFile "$key_file" --noscripting --networkMessageCompressors disabled \
  --oplogMinRetentionHours 24 --quiet "$@"
