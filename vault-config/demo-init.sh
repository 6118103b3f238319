#!/bin/sh
# Makes a fresh Vault or OpenBao in server mode ready for the demo: initialises and unseals it, enables the audit devices,
# two KV mounts with made-up secrets, and what VaultFerry needs. Run it again after a restart: it unseals, and leaves
# alone what is right. For a demo only: the key that unseals lies in a file beside the server.
set -eu
LC_ALL=C
export LC_ALL
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
program=demo-init.sh
# shellcheck source-path=SCRIPTDIR source=http.sh
. "$here/http.sh"

usage() {
  cat <<'END'
Usage: demo-init.sh   (everything comes from the environment)

  VAULT_ADDR              the server (default: http://127.0.0.1:8200)
  DEMO_WAIT               seconds to wait for it (default: 60)
  DEMO_STATE_DIR          keeps init.json (unseal key, root token) and root-token, for their owner alone
                          (default: /vault/state)
  DEMO_CREDENTIALS_DIR    gets the worker's role-id and secret-id (default: /vault/credentials)
  DEMO_CREDENTIALS_OWNER  USER:GROUP that the two files are given to (needs root; default: whoever runs this)
  DEMO_ROLE_ID            the role id (default: vaultferry-demo)
  DEMO_AUDIT_ADDRESS      Vault: HOST:PORT of the ingress, for the socket device (default: no such device)
  DEMO_AUDIT_FILE         Vault: the file device's path on its machine (default: /vault/logs/audit.log)
                          Neither counts for OpenBao, which has both devices in its configuration
END
}

# Any answer of sys/seal-status will do: a sealed or a fresh server gives one too.
wait_for_server() {
  waited=0
  request GET sys/seal-status
  until [ "$status" = 200 ]; do
    [ "$waited" -lt "$wait_for" ] || die "$VAULT_ADDR gave no answer within $wait_for s: $(reasons)"
    sleep 1
    waited=$((waited + 1))
    request GET sys/seal-status
  done
}

initialise() {
  if [ "$(jq .initialized "$work/answer")" = true ]; then
    [ -s "$state/init.json" ] || die "$VAULT_ADDR is initialised, and $state/init.json does not have its key; begin with empty volumes"
    return
  fi
  printf '{"secret_shares":1,"secret_threshold":1}' >"$work/body"
  demand initialise PUT sys/init "$work/body"
  # Its key is nowhere else from here on, so it is kept before anything else can fail.
  cp "$work/answer" "$state/init.json"
  say server initialised
}

unseal() {
  demand unseal GET sys/seal-status
  if [ "$(jq .sealed "$work/answer")" = true ]; then
    jq '{key: .keys_base64[0]}' "$state/init.json" >"$work/body"
    demand unseal PUT sys/unseal "$work/body"
    say server unsealed
  fi
  waited=0
  request GET sys/health
  # An audit device whose receiver is missing keeps the server from becoming active; only its own log says so.
  until [ "$status" = 200 ]; do
    [ "$waited" -lt "$wait_for" ] ||
      die "the server is not active after $wait_for s (sys/health answers $status); does the ingress listen? see the server's log"
    sleep 1
    waited=$((waited + 1))
    request GET sys/health
  done
}

# enable_kv MOUNT: KV version 2.
enable_kv() {
  demand mounts GET sys/mounts
  if jq -e --arg path "$1/" '(.data // .) | has($path)' "$work/answer" >/dev/null; then return; fi
  printf '{"type":"kv","options":{"version":"2"}}' >"$work/body"
  demand "mount $1" POST "sys/mounts/$1" "$work/body"
  say "mount $1" enabled
}

# seed MOUNT PATH: writes the JSON on stdin as a secret's first version, unless the secret has one. A fresh KV mount may
# still be upgrading its storage, and answers 400 meanwhile.
seed() {
  jq '{data: ., options: {cas: 0}}' >"$work/body"
  request GET "$1/metadata/$2"
  if [ "$status" = 200 ]; then return; fi
  waited=0
  request POST "$1/data/$2" "$work/body"
  while [ "$status" = 400 ] && [ "$waited" -lt 10 ]; do
    sleep 1
    waited=$((waited + 1))
    request POST "$1/data/$2" "$work/body"
  done
  case $status in
    2??) say "secret $1/$2" written ;;
    *) die "secret $1/$2: answered $status: $(reasons)" ;;
  esac
}

# Every value is made up, and says so.
seed_secrets() {
  enable_kv hybrid-aws-secrets
  enable_kv super-secret-engine
  seed hybrid-aws-secrets app/database <<'END'
{ "host": "db.example", "port": 5432, "username": "demo", "password": "made-up-password-of-the-demo" }
END
  seed hybrid-aws-secrets app/api <<'END'
{ "url": "https://api.example", "key": "made-up-key-of-the-demo" }
END
  seed super-secret-engine crown-jewels <<'END'
{ "note": "made up, and not for VaultFerry: its policy does not reach this mount" }
END
}

# OpenBao has its devices from its configuration.
has_ingress_device() {
  demand 'audit devices' GET sys/audit
  jq -e '(.data // .) | has("vaultferry/")' "$work/answer" >/dev/null
}

# The secret id that the worker has is kept while the server knows it.
secret_id_works() {
  [ -s "$credentials/secret-id" ] || return 1
  jq -Rs '{secret_id: rtrimstr("\n")}' "$credentials/secret-id" >"$work/body"
  request POST auth/approle/role/vaultferry/secret-id/lookup "$work/body"
  [ "$status" = 200 ]
}

configure() {
  set -- --mount hybrid-aws-secrets --approle --role-id "$role_id" --role-id-file "$credentials/role-id"
  if ! secret_id_works; then set -- "$@" --secret-id-file "$credentials/secret-id"; fi
  if [ -n "$audit_address" ] && ! has_ingress_device; then
    set -- "$@" --audit-file "$audit_file" --audit-socket "$audit_address"
  fi
  VAULT_ADDR=$VAULT_ADDR VAULT_TOKEN=$(cat "$state/root-token") VAULT_NAMESPACE='' sh "$here/apply.sh" "$@"
  if [ -n "$owner" ]; then chown "$owner" "$credentials/role-id" "$credentials/secret-id"; fi
}

say() {
  printf '%s: %s\n' "$1" "$2"
}

case ${1:-} in
  '') ;;
  --help | -h)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

VAULT_ADDR=${VAULT_ADDR:-http://127.0.0.1:8200}
VAULT_ADDR=${VAULT_ADDR%/}
VAULT_NAMESPACE=
wait_for=${DEMO_WAIT:-60}
state=${DEMO_STATE_DIR:-/vault/state}
credentials=${DEMO_CREDENTIALS_DIR:-/vault/credentials}
owner=${DEMO_CREDENTIALS_OWNER:-}
role_id=${DEMO_ROLE_ID:-vaultferry-demo}
audit_address=${DEMO_AUDIT_ADDRESS:-}
audit_file=${DEMO_AUDIT_FILE:-/vault/logs/audit.log}

make_work
mkdir -p "$state" "$credentials"
# Another user, the worker's, has to pass.
chmod 755 "$credentials"
use_token ''
wait_for_server
initialise
unseal
jq -r .root_token "$state/init.json" >"$state/root-token"
use_token "$(cat "$state/root-token")"
configure
seed_secrets
say server ready
