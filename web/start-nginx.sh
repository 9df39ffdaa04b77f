#!/bin/sh
# Fills in nginx.conf and becomes nginx. With /certificates/fullchain.pem and privkey.pem, nginx serves TLS and HTTP/2 and
# redirects plain HTTP there. Without them, it serves plain HTTP.
#
# API: the server's address. HTTPS_PORT: the port on which browsers reach TLS. Only tests set the other variables.
set -eu

here=$(dirname "$0")
state=${STATE:-/tmp/nginx}
chain=${CERTIFICATES:-/certificates}/fullchain.pem
key=${CERTIFICATES:-/certificates}/privkey.pem
resolver=${RESOLVER:-$(sed -n 's/^nameserver *\([0-9.]*\)$/\1/p' /etc/resolv.conf | head -n 1)}
mkdir -p "$state"

sed -e "s|@STATE@|$state|g" -e "s|@CLIENT@|${CLIENT:-/srv/client}|g" -e "s|@API@|${API:-api:8000}|g" \
  -e "s|@RESOLVER@|${resolver:-127.0.0.11}|g" "$here/nginx.conf" >"$state/nginx.conf"

if [ -r "$chain" ] && [ -r "$key" ]; then
  cat >"$state/listen.conf" <<END
listen ${HTTPS_LISTEN:-8443} ssl http2;
ssl_certificate $chain;
ssl_certificate_key $key;
END
  cat >"$state/redirect.conf" <<END
server {
  listen ${HTTP_LISTEN:-8080};
  location / { return 308 https://\$host:${HTTPS_PORT:-443}\$request_uri; }
  location = /nginx-health { return 204; }
}
END
elif [ -e "$chain" ] || [ -e "$key" ]; then
  echo "start-nginx: $chain and $key must both be readable for user $(id -u). Provide both, or neither." >&2
  exit 1
else
  echo "listen ${HTTP_LISTEN:-8080};" >"$state/listen.conf"
  rm -f "$state/redirect.conf"
fi

exec "${NGINX:-nginx}" -e stderr -c "$state/nginx.conf" -g 'daemon off;'
