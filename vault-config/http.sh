# Requests to Vault's API for apply.sh and demo-init.sh, which source this file. POSIX sh, curl 7.55 or newer, jq.
# What is secret goes to curl and jq through files of this user's alone, never on a command line, where ps shows it.
# shellcheck shell=sh

: "${program:=vault-config}"

die() {
  printf '%s: %s\n' "$program" "$1" >&2
  exit 1
}

# Makes the folder $work, which goes when the script ends.
make_work() {
  umask 077
  work=$(mktemp -d) || die 'no folder for temporary files can be made; set TMPDIR'
  trap 'rm -rf "$work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for tool in curl jq; do
    command -v "$tool" >/dev/null || die "$tool is missing; install it"
  done
}

# Writes the headers of all requests: the token $1 ("" for none), and $VAULT_NAMESPACE.
use_token() {
  case $1 in *[!!-~]*) die 'the Vault token holds a character that no token has; check VAULT_TOKEN' ;; esac
  case ${VAULT_NAMESPACE:-} in *[[:cntrl:]]*) die 'VAULT_NAMESPACE holds a control character' ;; esac
  {
    printf 'X-Vault-Request: true\n'
    if [ -n "$1" ]; then printf 'X-Vault-Token: %s\n' "$1"; fi
    if [ -n "${VAULT_NAMESPACE:-}" ]; then printf 'X-Vault-Namespace: %s\n' "$VAULT_NAMESPACE"; fi
  } >"$work/headers"
}

# request METHOD PATH [BODY_FILE [HEADER]]: sets $status ("000" without an answer) and writes the answer to $work/answer.
# Redirects are not followed: curl would hand the token to whatever host they name.
request() {
  set -- "$1" "$VAULT_ADDR/v1/$2" "${3:-}" "${4:-}"
  : >"$work/answer"
  status=$(
    method=$1 whole_url=$2 body=$3 header=$4
    set -- --disable --silent --show-error --max-time 30 --request "$method" --header "@$work/headers"
    if [ -n "${VAULT_CACERT:-}" ]; then set -- "$@" --cacert "$VAULT_CACERT"; fi
    if [ -n "$body" ]; then set -- "$@" --header 'Content-Type: application/json' --data-binary "@$body"; fi
    if [ -n "$header" ]; then set -- "$@" --header "$header"; fi
    curl "$@" --output "$work/answer" --write-out '%{http_code}' "$whole_url" 2>"$work/curl"
  ) || status=000
}

# What the last request came to, in Vault's words where it gave any.
reasons() {
  case $status in
    000) cat "$work/curl" ;;
    30[0-9]) printf 'a redirect; set VAULT_ADDR to the active node' ;;
    *) jq -r '(.errors // []) | map(gsub("[[:space:]]+"; " ")) | join("; ") | if . == "" then "no reason given" else . end' \
      "$work/answer" 2>/dev/null || printf 'no JSON; does VAULT_ADDR name a Vault?' ;;
  esac
}

# demand WHAT METHOD PATH [BODY_FILE [HEADER]]: a request that has to succeed.
demand() {
  what=$1
  shift
  request "$@"
  case $status in
    2??) ;;
    *) die "$what: $1 $2 answered $status: $(reasons)" ;;
  esac
}

# Escapes each segment of a path for a URL, keeping its slashes.
url_path() {
  jq -rn --arg path "$1" '$path | split("/") | map(@uri) | join("/")'
}
