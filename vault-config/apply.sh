#!/bin/sh
# Puts onto an existing Vault or OpenBao what VaultFerry needs there. Run it with --help.
set -eu
LC_ALL=C
export LC_ALL
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
program=apply.sh
# shellcheck source-path=SCRIPTDIR source=http.sh
. "$here/http.sh"

usage() {
  cat <<'END'
Usage: apply.sh (--mount | --kv1-mount) [NAMESPACE:]MOUNT... [OPTIONS]

Writes VaultFerry's policy to a running Vault or OpenBao and, where asked for, its auth roles and Vault's audit devices.
Run it as often as you like: what is right already is left alone. It removes nothing.

  --mount [NAMESPACE:]MOUNT  a KV v2 mount that VaultFerry replicates; once for each
  --kv1-mount [NAMESPACE:]MOUNT  the same of a KV v1 mount
  --name NAME                of the policy and the roles (default: vaultferry)
  --print-policy SERVER      print the policy for SERVER, "vault" or "openbao", and do nothing else
  --dry-run                  say what would be written; reads from the server, writes nothing to it
  --cidr CIDR                roles: tokens (and secret ids) are good from these addresses alone; repeatable

  --approle                  an AppRole role; enables the auth method where it is missing
  --approle-path PATH        of the auth method (default: approle)
  --role-id ID               give the role this id instead of one that the server chooses
  --role-id-file FILE        write the role id to FILE
  --secret-id-file FILE      make a secret id and write it to FILE, readable by its owner alone. One that FILE holds and the
                             server knows is kept
  --new-secret-id            make a new one all the same. The old one stays good: its accessor is told, to destroy it
  --wrap-ttl DURATION        --secret-id-file gets a wrapping token that yields the secret id once, within DURATION

  --aws ARN                  a role of the AWS auth method for this IAM principal; repeatable. The method must be enabled
  --aws-path PATH            of the auth method (default: aws)

  --kubernetes NS/ACCOUNT    a role of the Kubernetes auth method for this service account. The method must be enabled
  --kubernetes-audience AUD  what the account's token must be meant for (default: vault)
  --kubernetes-path PATH     of the auth method (default: kubernetes)

  --audit-file FILE          Vault: a file audit device "file" (FILE is a path on Vault's machine)
  --audit-socket ADDRESS     Vault: the socket audit device "vaultferry" to VaultFerry's ingress at HOST:PORT or /PATH,
                             which must listen by then. Only with a second device, here or already there
                             OpenBao takes devices from its configuration instead: see audit/openbao.hcl

  --help                     this text

Environment:
  VAULT_ADDR       the server (required)
  VAULT_TOKEN      an operator's token, else that of ~/.vault-token; policies/apply.hcl is enough for it
  VAULT_NAMESPACE  write policy and roles in this namespace; mounts must be in it or below it (default: root). It is
                   VaultFerry's vault.namespace then
  VAULT_CACERT     PEM file of the authority that signed the server's certificate
END
}

misuse() {
  printf '%s: %s\nTry "%s --help".\n' "$program" "$1" "$program" >&2
  exit 2
}

# Prints the path of "[NAMESPACE:]MOUNT" as a policy of $VAULT_NAMESPACE spells it.
policy_path() {
  case $1 in *[[:cntrl:]]* | *[\"\\*\$\{\}]*) misuse "--mount $1: a policy cannot name this mount" ;; esac
  case $1 in *: | *:/*) misuse "--mount $1: not [NAMESPACE:]MOUNT" ;; esac
  case $1 in
    *:*) path=${1%%:*}/${1#*:} ;;
    *) path=$1 ;;
  esac
  path=$(printf '%s\n' "$path" | sed -e 's/%3[Aa]/:/g' -e 's/%25/%/g' -e 's|/*$||')
  case /$path/ in *//* | */+/*) misuse "--mount $1: not [NAMESPACE:]MOUNT" ;; esac
  inside=${VAULT_NAMESPACE:-}
  inside=${inside%/}
  if [ -n "$inside" ]; then
    case $1 in
      *:*) ;;
      *) misuse "--mount $1 is in the root namespace, outside of VAULT_NAMESPACE; write NAMESPACE:MOUNT" ;;
    esac
    case $path in
      "$inside"/*) path=${path#"$inside"/} ;;
      *) misuse "--mount $1 is outside of VAULT_NAMESPACE" ;;
    esac
  fi
  printf '%s\n' "$path"
}

# render SERVER: the policy, of the files in policies/. Each piece is followed by an empty line, the last one by none.
render() {
  pieces='replicator'
  if [ "$1" = openbao ]; then pieces='replicator replicator-openbao'; fi
  while IFS= read -r path; do
    escaped=$(printf '%s\n' "$path" | sed 's/[&|\\]/\\&/g')
    for piece in $pieces; do
      sed "s|\${mount}|$escaped|g" "$here/policies/$piece.hcl"
      printf '\n'
    done
  done <"$work/mounts"
  while IFS= read -r path; do
    escaped=$(printf '%s\n' "$path" | sed 's/[&|\\]/\\&/g')
    sed "s|\${mount}|$escaped|g" "$here/policies/replicator-kv1.hcl"
    printf '\n'
  done <"$work/kv1-mounts"
  cat "$here/policies/replicator-token.hcl"
}

# as_array WORDS: the lines of a list as a JSON array.
as_array() {
  printf '%s' "$1" | jq -Rn '[inputs | select(. != "")]'
}

say() {
  printf '%s: %s\n' "$1" "$2"
}

# same_policy SERVER: whether the server's policy is the one for SERVER already.
same_policy() {
  render "$1" | jq -Rse --slurpfile there "$work/there" '. == $there[0].data.policy' >/dev/null
}

# put_policy SERVER: offers the policy for SERVER; what came of it is in $status.
put_policy() {
  render "$1" | jq -Rs '{policy: .}' >"$work/body"
  request PUT "$url" "$work/body"
}

# Vault refuses a policy that names OpenBao's capability, so OpenBao's is offered first and Vault's after a refusal.
apply_policy() {
  url=sys/policies/acl/$(url_path "$name")
  request GET "$url"
  cp "$work/answer" "$work/there"
  there=none
  case $status in
    200) if same_policy openbao; then there=openbao; elif same_policy vault; then there=vault; fi ;;
    404) ;;
    *) die "policy $name: GET $url answered $status: $(reasons)" ;;
  esac
  if [ "$there" = openbao ] || [ "$there$dry_run" = vaultyes ]; then
    say "policy $name" unchanged
    return
  fi
  if [ "$dry_run" = yes ]; then
    say "policy $name" 'would be written (on Vault without the lines for OpenBao):'
    render openbao
    return
  fi
  put_policy openbao
  if [ "$status" = 400 ] && grep -q 'invalid capability' "$work/answer"; then
    if [ "$there" = vault ]; then
      say "policy $name" unchanged
      return
    fi
    put_policy vault
  fi
  case $status in
    2??) say "policy $name" written ;;
    *) die "policy $name: PUT $url answered $status: $(reasons)" ;;
  esac
}

# apply_role METHOD MOUNT FILTER: the role that auth/METHOD.json and the jq FILTER describe.
apply_role() {
  url=auth/$(url_path "$2")/role/$(url_path "$name")
  jq --arg name "$name" --argjson cidrs "$(as_array "$cidrs")" \
    ". + {token_policies: [\$name], token_bound_cidrs: \$cidrs} | $3" "$here/auth/$1.json" >"$work/body"
  request GET "$url"
  case $status in
    200)
      # An empty list may come back as null.
      if jq -e --slurpfile want "$work/body" \
        '.data as $have | $want[0] | to_entries | all((.value == $have[.key]) or (.value == [] and $have[.key] == null))' \
        "$work/answer" >/dev/null; then
        say "role $2/$name" unchanged
        return
      fi
      ;;
    404) if [ "$(jq '.errors == []' "$work/answer")" != true ] && [ "$dry_run$1" != yesapprole ]; then
      die "role $2/$name: the auth method $2/ is not enabled; enable and configure it first"
    fi ;;
    *) die "role $2/$name: GET $url answered $status: $(reasons)" ;;
  esac
  if [ "$dry_run" = yes ]; then
    say "role $2/$name" 'would be written:'
    cat "$work/body"
    return
  fi
  demand "role $2/$name" POST "$url" "$work/body"
  say "role $2/$name" written
}

enable_approle() {
  demand 'auth methods' GET sys/auth
  if jq -e --arg path "$approle_path/" '(.data // .) | has($path)' "$work/answer" >/dev/null; then return; fi
  if [ "$dry_run" = yes ]; then
    say "auth method $approle_path/" 'would be enabled'
    return
  fi
  printf '{"type":"approle"}' >"$work/body"
  demand "auth method $approle_path/" POST "sys/auth/$(url_path "$approle_path")" "$work/body"
  say "auth method $approle_path/" enabled
}

# Makes the role's id what was asked for, and writes it where it was asked to be.
apply_role_id() {
  url=auth/$(url_path "$approle_path")/role/$(url_path "$name")/role-id
  demand 'role id' GET "$url"
  if [ -n "$role_id" ] && [ "$(jq -r .data.role_id "$work/answer")" != "$role_id" ]; then
    jq -n --arg id "$role_id" '{role_id: $id}' >"$work/body"
    demand 'role id' POST "$url" "$work/body"
    say 'role id' 'set as given'
    demand 'role id' GET "$url"
  fi
  say 'role id' "$(jq -r .data.role_id "$work/answer")"
  if [ -n "$role_id_file" ]; then
    jq -r .data.role_id "$work/answer" >"$work/role-id"
    put_file "$work/role-id" "$role_id_file" 644
    say 'role id' "written to $role_id_file"
  fi
}

# Asks about the secret id that the file holds; the answer stays in $work/answer.
knows_secret_id() {
  [ -s "$secret_id_file" ] || return 1
  jq -Rs '{secret_id: rtrimstr("\n")}' "$secret_id_file" >"$work/body"
  request POST "auth/$(url_path "$approle_path")/role/$(url_path "$name")/secret-id/lookup" "$work/body"
  [ "$status" = 200 ]
}

make_secret_id() {
  if knows_secret_id; then
    accessor=$(jq -r '.data.secret_id_accessor // "unknown"' "$work/answer")
    if [ "$new_secret_id" = no ]; then
      say 'secret id' "unchanged in $secret_id_file"
      return
    fi
    say 'secret id' "the one before stays good until it is destroyed; its accessor is $accessor"
  elif [ -n "$wrap_ttl" ] && [ -s "$secret_id_file" ] && [ "$new_secret_id" = no ]; then
    say 'secret id' "unchanged in $secret_id_file, which may hold a wrapping token; --new-secret-id makes another"
    return
  fi
  header=
  taken=.data.secret_id
  if [ -n "$wrap_ttl" ]; then
    header="X-Vault-Wrap-TTL: $wrap_ttl"
    taken=.wrap_info.token
  fi
  printf '{}' >"$work/body"
  demand 'secret id' POST "auth/$(url_path "$approle_path")/role/$(url_path "$name")/secret-id" "$work/body" "$header"
  jq -er "$taken" "$work/answer" >"$work/secret-id" || die 'secret id: the answer holds none'
  put_file "$work/secret-id" "$secret_id_file" 600
  say 'secret id' "written to $secret_id_file"
}

# put_file FROM TO MODE: TO is replaced at once, so that nobody reads half of it.
put_file() {
  next=$2.new
  rm -f "$next"
  cp "$1" "$next" || die "$2 cannot be written"
  chmod "$3" "$next"
  mv "$next" "$2"
}

advice() {
  case $1 in
    file) printf 'leave --audit-file out, since any second device will do' ;;
    *) printf 'disable it first, while another works' ;;
  esac
}

# apply_device NAME FILTER: the audit device that audit/TYPE.json and the jq FILTER describe, TYPE being $type.
apply_device() {
  jq --arg value "$value" "$2" "$here/audit/$type.json" >"$work/body"
  demand 'audit devices' GET sys/audit
  if jq -e --arg path "$1/" '(.data // .) | has($path)' "$work/answer" >/dev/null; then
    jq -e --arg path "$1/" --slurpfile want "$work/body" \
      '(.data // .)[$path] as $have | $want[0] | .type == $have.type and
        (.options | del(.write_timeout) | to_entries | all(.value == $have.options[.key]))' \
      "$work/answer" >/dev/null ||
      die "audit device $1/ is there with other options, and none can be changed: $(advice "$1")"
    say "audit device $1/" unchanged
    return
  fi
  if [ "$type" = socket ] && [ -z "$audit_file" ] && ! jq -e '(.data // .) | any(.[]?; .type? != null)' "$work/answer" >/dev/null; then
    die 'the socket would be the only audit device, and Vault would stop whenever VaultFerry does; add --audit-file FILE'
  fi
  if [ "$dry_run" = yes ]; then
    say "audit device $1/" 'would be enabled:'
    cat "$work/body"
    return
  fi
  request PUT "sys/audit/$1" "$work/body"
  case $status in
    2??) say "audit device $1/" enabled ;;
    *)
      if grep -q declarative "$work/answer"; then
        die "audit device $1/: OpenBao takes it from its configuration; see $here/audit/openbao.hcl"
      fi
      die "audit device $1/: PUT sys/audit/$1 answered $status: $(reasons)"
      ;;
  esac
}

token() {
  if [ -n "${VAULT_TOKEN:-}" ]; then
    printf '%s' "$VAULT_TOKEN"
  elif [ -r "${HOME:-}/.vault-token" ]; then
    cat "$HOME/.vault-token"
  fi
}

mounts='' kv1_mounts='' name=vaultferry print_policy='' dry_run=no cidrs=''
approle=no approle_path=approle role_id='' role_id_file='' secret_id_file='' wrap_ttl='' new_secret_id=no
arns='' aws_path=aws account='' audience=vault kubernetes_path=kubernetes audit_file='' audit_socket=''
newline='
'

while [ $# -gt 0 ]; do
  option=$1
  shift
  case $option in
    --help | -h)
      usage
      exit 0
      ;;
    --dry-run)
      dry_run=yes
      continue
      ;;
    --approle)
      approle=yes
      continue
      ;;
    --new-secret-id)
      new_secret_id=yes
      continue
      ;;
    --mount | --kv1-mount | --name | --print-policy | --cidr | --approle-path | --role-id | --role-id-file | --secret-id-file | --wrap-ttl | --aws | \
      --aws-path | --kubernetes | --kubernetes-audience | --kubernetes-path | --audit-file | --audit-socket) ;;
    *) misuse "$option is no option of this script" ;;
  esac
  if [ $# -eq 0 ] || [ -z "$1" ]; then misuse "$option needs a value"; fi
  case $1 in *"$newline"*) misuse "$option: a value has one line" ;; esac
  case $option in
    --mount) mounts=$mounts$1$newline ;;
    --kv1-mount) kv1_mounts=$kv1_mounts$1$newline ;;
    --name) name=$1 ;;
    --print-policy) print_policy=$1 ;;
    --cidr) cidrs=$cidrs$1$newline ;;
    --approle-path) approle_path=${1%/} ;;
    --role-id) role_id=$1 ;;
    --role-id-file) role_id_file=$1 ;;
    --secret-id-file) secret_id_file=$1 ;;
    --wrap-ttl) wrap_ttl=$1 ;;
    --aws) arns=$arns$1$newline ;;
    --aws-path) aws_path=${1%/} ;;
    --kubernetes) account=$1 ;;
    --kubernetes-audience) audience=$1 ;;
    --kubernetes-path) kubernetes_path=${1%/} ;;
    --audit-file) audit_file=$1 ;;
    --audit-socket) audit_socket=$1 ;;
  esac
  shift
done

[ -n "$mounts$kv1_mounts" ] || misuse 'name at least one mount with --mount'
case $print_policy in '' | vault | openbao) ;; *) misuse '--print-policy is "vault" or "openbao"' ;; esac
case $account in '' | ?*/?*) ;; *) misuse '--kubernetes is NAMESPACE/ACCOUNT' ;; esac
if [ "$approle" = no ] && [ -n "$role_id$role_id_file$secret_id_file$wrap_ttl" ]; then misuse 'ids are of --approle'; fi
case $secret_id_file in */*) folder=${secret_id_file%/*}/ ;; *) folder=. ;; esac
# Before a secret id is made that nobody could hold.
if [ -n "$secret_id_file" ] && ! { [ -d "$folder" ] && [ -w "$folder" ]; }; then die "$secret_id_file cannot be written"; fi
if [ -n "$wrap_ttl" ] && [ -z "$secret_id_file" ]; then misuse '--wrap-ttl needs --secret-id-file'; fi
if [ -n "$audit_file$audit_socket" ] && [ -n "${VAULT_NAMESPACE:-}" ]; then
  misuse 'audit devices are of the root namespace; enable them without VAULT_NAMESPACE'
fi
case $audit_socket in '' | /* | ?*:?*) ;; *) misuse '--audit-socket is HOST:PORT or /PATH' ;; esac

make_work
printf '%s' "$mounts" | while IFS= read -r mount; do policy_path "$mount"; done >"$work/all"
# Two spellings of one mount are one.
awk '!seen[$0]++' "$work/all" >"$work/mounts"
printf '%s' "$kv1_mounts" | while IFS= read -r mount; do policy_path "$mount"; done >"$work/all"
awk '!seen[$0]++' "$work/all" >"$work/kv1-mounts"

if [ -n "$print_policy" ]; then
  render "$print_policy"
  exit 0
fi

[ -n "${VAULT_ADDR:-}" ] || misuse 'set VAULT_ADDR'
VAULT_ADDR=${VAULT_ADDR%/}
token=$(token)
[ -n "$token" ] || misuse 'set VAULT_TOKEN'
use_token "$token"

apply_policy
if [ "$approle" = yes ]; then
  enable_approle
  # shellcheck disable=SC2016 # $cidrs is jq's
  apply_role approle "$approle_path" '. + {secret_id_bound_cidrs: $cidrs}'
  if [ "$dry_run" = no ]; then
    apply_role_id
    if [ -n "$secret_id_file" ]; then make_secret_id; fi
  fi
fi
if [ -n "$arns" ]; then
  apply_role aws "$aws_path" ". + {bound_iam_principal_arn: $(as_array "$arns")}"
fi
if [ -n "$account" ]; then
  namespaces=$(as_array "${account%%/*}") accounts=$(as_array "${account#*/}") audience=$(jq -n --arg it "$audience" '$it')
  apply_role kubernetes "$kubernetes_path" ". + {bound_service_account_namespaces: $namespaces,
    bound_service_account_names: $accounts, audience: $audience}"
fi
if [ -n "$audit_file" ]; then
  type=file value=$audit_file
  # shellcheck disable=SC2016 # $value is jq's
  apply_device file '.options.file_path = $value'
fi
if [ -n "$audit_socket" ]; then
  type=socket value=$audit_socket
  case $audit_socket in /*) kind=unix ;; *) kind=tcp ;; esac
  apply_device vaultferry ".options.address = \$value | .options.socket_type = \"$kind\""
fi
