export const USAGE = `vaultferry carries secrets from Vault or OpenBao KV to AWS Secrets Manager.

Usage: vaultferry COMMAND [--config FILE] [--json] …

Commands
  serve [--role ingress] [--role worker]   run the roles (all by default) until SIGTERM
  plan [--deep]                            what would a sweep do, and what would it cost?
  sweep [--deep]                           compare everything now, and put what differs on the queue
  sweep --approve-deletes                  show the deletions that are held, ask, and let them go
  replicate REF…                           put these secrets on the queue now
  status [REF…]                            is each copy what Vault says, and if not, why?
  adopt REF… | --all                       take over existing secrets of these names
  release REF… | --all                     let copies go: they stay, and are never written again
  dlq list                                 the dead letters, and what to do next
  dlq show ID                              one of them: what it means, what to do
  dlq redrive ID… | --code CODE | --all    send them back to the queue, once the cause is mended
  dlq drop ID…                             delete them
  doctor                                   is the whole chain as it should be, and what mends it?
  policy vault | policy openbao            the least policy that a worker needs there
  policy iam [--role …]                    the least policy that a role needs in AWS
  config check [--role …]                  is the configuration valid (for these roles)?
  config print                             the effective configuration, secrets masked
  config schema                            its JSON Schema

Options
  --config FILE    the configuration; else $VAULTFERRY_CONFIG (a path, or the YAML itself), else vaultferry.yaml
  --json           results as JSON
  --help           this text, or a command's
  --version        the version

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db; a ":" or "%" inside mount or path
is written %3A or %25.

Exit codes: 0 done; 1 failed; 2 usage or configuration error; 3 done, and dead letters (dlq list), drift or conflicts
(status, plan, sweep) or failed checks (doctor) were found.
Results go to stdout, logs to stderr: JSON lines, or for people when stderr is a terminal.
`;

export const HELP: Readonly<Record<string, string>> = {
  serve: `Usage: vaultferry serve [--role ingress] [--role worker] [--config FILE]

Runs the roles until SIGTERM: all of them, or those that are named.
  ingress   takes in Vault's audit log and puts references to changed secrets on the queue
  worker    reads each changed secret from Vault and writes it to Secrets Manager; sweeps

Logs {"event":"ready",…} with the real addresses once everything listens. It listens before it asks anything of Vault
or AWS, and keeps trying while they are down: GET /readyz at admin.listen tells what is lacking.

Exit codes: 0 after SIGTERM; 1 if a listener cannot bind; 2 if the configuration or the queues are unfit.
`,
  plan: `Usage: vaultferry plan [--deep] [--all] [--config FILE] [--json]

Compares everything at both ends now, writes nothing, and says what a sweep would do, for each secret and destination:
  create     there is no copy yet
  update     the copy has an older version, or one that is not from Vault
  restore    the copy is scheduled for deletion, though the secret is there
  mark       the secret is gone: the copy is kept, and marked as absent
  unmark     the copy is marked as absent, though the secret is there
  retag      the value is right, a tag is not
  delete     the secret has been gone for longer than deletion.grace: the next sweep schedules the copy's deletion
  held       the same, but they are too many at once: vaultferry sweep --approve-deletes lets them go
  wait       Vault answers with an older version than was copied
and what no sweep can end:
  adopt      a secret of that name exists and is not VaultFerry's: vaultferry adopt REF takes it over
  conflict   the same, but AWS rotates, manages or deletes it, so that it cannot be adopted
  refuse     Secrets Manager could not take it (name, size), or maxSecrets is reached
  orphan     a copy of VaultFerry's that no route covers any more
  released   the copy was let go (vaultferry release): counted, and shown with --all alone
  differs    with --deep: the right version has another value
  unknown    an end cannot be read

What is to be updated is read at both ends, to show which of its keys are added, removed or changed: names of keys, never
a value. What is new would be created, so its number and the cost are told: a copy costs $0.40 a month. Only what is not
in sync is shown.

--deep     reads and compares every secret's value, also of those that look equal
--all      shows everything, also what is in sync

Needs what a worker needs of Vault, and secretsmanager:ListSecrets and DescribeSecret; GetSecretValue for --deep, for
routes of KV version 1, and for the keys: without it, "not compared" stands in their place. ListSecrets may lag by five
minutes, so that what has just been done may still be shown. NO_COLOR turns colours off.

--json gives {"secrets": [{"ref", "destination", "secretName", "action", "state", "vaultVersion", "replicatedVersion",
"since", "code", "why", "keys": {"added", "removed", "changed"}, "notCompared", "deletion": {"versionId",
"absentSince"}}], "actions": {DESTINATION: {ACTION: count}}, "copies": {DESTINATION: {"now", "after", "beyondLimit"}},
"monthlyCost": {"now", "after", "currency"}, "gaps": [{"what", "code", "why"}]}; null where there is nothing to say.

Exit codes: 0 all is in sync; 3 something is not, or something could not be compared (gaps); 1 nothing could be compared;
2 usage or configuration error.
`,
  sweep: `Usage: vaultferry sweep [--deep] [--all] [--config FILE] [--json]
       vaultferry sweep --dry-run [--deep] [--all] [--json]
       vaultferry sweep --approve-deletes [--yes] [--json]

Compares everything at both ends, as the workers' own sweeps do, says what it found, and puts what differs on the queue:
a worker then looks at each and writes. It goes beside any other sweep, waits while more than 500 messages are on the
queue, and never deletes. What no look can end (see vaultferry plan --help) stands in its report alone.

--deep             compares values too, also of what looks equal; needs secretsmanager:GetSecretValue
--dry-run          the same as vaultferry plan
--all              shows everything, also what is in sync
--approve-deletes  more copies than deletion.maxPerSweep and maxShare allow are due for deletion at once, so the workers
                   hold them: shows each with its version and since when its secret is gone, asks, and sends the workers
                   a request for a sweep that may delete these. It is void for a copy that changes before, and after an
                   hour. Puts nothing else on the queue.
--yes              answers the question beforehand; without a terminal it is needed

Needs what a worker needs of Vault, secretsmanager:ListSecrets and DescribeSecret, and sqs:SendMessage and
GetQueueAttributes on the queue.

--json gives what vaultferry plan --json does, and "enqueued", the number of messages; with --approve-deletes
{"held": [{"ref", "destination", "secretName", "versionId", "absentSince"}], "approved", "gaps"}.

Exit codes: 0 all is in sync, or approved; 3 something is not in sync, or could not be compared (gaps); 1 failed, or not
approved; 2 usage or configuration error.
`,
  replicate: `Usage: vaultferry replicate REF… [--config FILE] [--json]

Puts a reference to each secret on the queue, for every destination that its routes lead to. A worker then compares
both ends and writes what differs. Needs no Vault, only the right to send to the queue.

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db.

--json gives {"queued": [{"ref", "destination", "secretName"}]}: what is on the queue now. A REF that is not routed is told
on stderr.

Exit codes: 0 all are queued; 1 a REF is not routed, or SQS refused; 2 usage or configuration error.
`,
  status: `Usage: vaultferry status [REF…] [--config FILE] [--json]

Compares both ends now and writes to neither: for each secret and destination whether they are in sync, Vault's version,
the copy's, since when it has it, and why not. Without a REF, all that Vault lists and all that has a copy. Shows no
value. Needs what a worker needs of Vault, and secretsmanager:DescribeSecret and ListSecrets. For many secrets
vaultferry plan is faster. NO_COLOR turns colours off.

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db.

--json gives {"secrets": [{"ref", "destination", "secretName", "inSync", "state", "vaultVersion", "replicatedVersion",
"since", "code", "why"}], "problems": [text]}; null where there is nothing to say. inSync is null where an end cannot be
read. state is one of
  in sync      in_sync, absent, absent_marked, absent_scheduled; released: let go, and left alone
  not in sync  missing, stale, no_value, not_promoted, edited_by_hand, scheduled_for_deletion, not_marked, wrongly_marked,
               tags_differ, conflict, refused, source_behind
  neither      unknown

Exit codes: 0 all are in sync; 3 some are not; 1 a REF is not routed or at neither end, or an end cannot be read;
2 usage or configuration error.
`,
  adopt: `Usage: vaultferry adopt REF… [--config FILE] [--json]
       vaultferry adopt --all [--yes] [--config FILE] [--json]

Makes existing secrets of these names copies of VaultFerry: gives them its tags, whoever had made them (a person, the AWS
sample, another VaultFerry, another route or mount), and takes released ones back. The value stays as it is until the
next change, sweep or "vaultferry replicate REF" writes Vault's. Other tags stay; a tag "version" that was there before
is never written. Secrets with rotation, and those that are scheduled for deletion or managed by a service, are refused.

--all      every secret of Vault whose name is taken by one that is not VaultFerry's copy of it; shows them and asks
--yes      answers the question beforehand; without a terminal it is needed

Runs with an operator's credentials: it needs what a worker needs of Vault, and secretsmanager:DescribeSecret,
TagResource and UntagResource on secrets that are not VaultFerry's yet. Look first: vaultferry status REF.

--json gives {"adopted": [{"ref", "destination", "secretName"}], "unchanged": […], "refused": [{…, "code", "why"}],
"problems": [text]}.

Exit codes: 0 all are VaultFerry's now; 1 some are not, or a REF is not routed; 2 usage or configuration error.
`,
  release: `Usage: vaultferry release REF… [--config FILE] [--json]
       vaultferry release --all [--yes] [--config FILE] [--json]

Lets copies go, e.g. to leave Vault one by one: VaultFerry's tags are replaced by vaultferry:released, which holds the
ref; the copy stays with its value, and is never written, marked or deleted again. Later changes in Vault are refused
without a dead letter. "vaultferry adopt REF" takes a copy back.

--all      every copy of this vault, also those that no route covers any more; shows them and asks
--yes      answers the question beforehand; without a terminal it is needed

Runs with an operator's credentials: secretsmanager:DescribeSecret, TagResource and UntagResource; ListSecrets with
--all, which may miss the last five minutes. Asks nothing of Vault.

--json gives {"released": [{"ref", "destination", "secretName"}], "unchanged": […], "refused": [{…, "code", "why"}],
"problems": [text]}.

Exit codes: 0 all are let go; 1 some are not, or a REF is not routed; 2 usage or configuration error.
`,
  dlq: `Usage: vaultferry dlq list [--config FILE] [--json]
       vaultferry dlq show ID [--json]
       vaultferry dlq redrive ID… | --code CODE | --all [--yes] [--json]
       vaultferry dlq drop ID… [--yes] [--json]

The dead-letter queue holds the messages that need a person, each with the reason why.

list      every letter: id, age, code, how often it was tried, and the secret's ref. While it reads, the letters are
          hidden from other readers for some seconds; then they are as they were.
show      all that a letter says, what its code means, and what to do
redrive   sends messages back to the queue once the cause is mended, unchanged and one by one, and removes each letter
          after its message is sent. --all asks first. Messages that are not VaultFerry's are never sent.
drop      deletes letters for good; asks first. The secrets stay as they are, and the next sweep looks at them again.

ID is a letter's id or its beginning, at least 6 characters. CODE is as list shows it; docs/errors.md explains each.
--yes answers the question beforehand; without a terminal it is needed. Ctrl-C gives the letters back.
Needs no Vault, only the queues: sqs:SendMessage on the one; ReceiveMessage, ChangeMessageVisibility, DeleteMessage and
GetQueueAttributes on the dead-letter queue.

--json gives what docs/errors.md says, for each of the four.

Exit codes: 0 done (list: no letters); 1 an ID is unknown, or a letter could not be redriven or dropped; 2 usage or
configuration error; 3 list found letters.
`,
  doctor: `Usage: vaultferry doctor [--config FILE] [--json]

Looks at the whole chain, side by side, and says of each check: ok, warning, failure or not checked, what was found, and
below it what mends it. It changes nothing; where VaultFerry logs in to Vault, it logs in once.
  Vault    is it there and unsealed, TLS, the token and how long it lasts, each routed mount, what the policy grants
  audit    a device that pushes to VaultFerry, a second one, log_raw, write_timeout, format
  queues   both are FIFO, wired, kept long enough and encrypted; calls with a receipt that is none
  AWS      each destination's place; ListSecrets, DescribeSecret, writes that can change nothing, and DeleteSecret and
           GetSecretValue where the configuration needs them, on a name or a version that does not exist
  clocks   Vault's, SQS's and Secrets Manager's beside this host's
  names    secrets of Vault that would meet in one name, or have one that AWS does not take or advises against

Shows what a worker would meet, so run it where one runs, with its configuration and credentials. The list of audit
devices needs sudo in Vault: it is asked with an operator's own token in $VAULT_TOKEN, and with no other.
NO_COLOR turns colours off.

--json gives {"checks": [{"group", "check", "state", "found", "mend"}], "summary": {"ok", "warnings", "failures",
"notChecked"}}; group is vault, audit, queue, aws, clock or names; state is ok, warning, failure or not_checked; mend is
null where there is nothing to do. The texts are for people and may change.

Exit codes: 0 no check failed (there may be warnings); 3 some did; 1 failed; 2 usage or configuration error.
`,
  policy: `Usage: vaultferry policy vault [--config FILE] [--json]
       vaultferry policy openbao [--config FILE] [--json]
       vaultferry policy iam [--role ingress] [--role worker] [--config FILE] [--json]

Prints the least policy that this configuration needs. Asks nothing of anybody.

vault     what a worker needs of HashiCorp Vault for the routed mounts, as it is written in the root namespace; to be given
          to "vault policy write vaultferry -". OpenBao takes it too
openbao   with the lines by which OpenBao lists a whole mount at once; Vault refuses a policy that has them
iam       what the roles need of AWS (both unless told), as an IAM policy document. Writes are allowed only on secrets
          with the tag vaultferry:vault of this vault.id. It is for serve alone: operators' commands need what their
          --help says. Where the configuration does not say an account or region, "*" stands in its place

--json gives {"server", "paths": [{"path", "capabilities"}]}; of iam, the document in one line.

Exit codes: 0 done; 2 usage or configuration error.
`,
  config: `Usage: vaultferry config check [--role ingress] [--role worker] [--config FILE] [--json]
       vaultferry config print [--config FILE] [--json]
       vaultferry config schema

check    names every wrong key, what was expected there, and the nearest known key; never a value
print    the configuration as it will be used: defaults filled in, secrets masked
schema   the JSON Schema of the configuration file, for editors

--json gives {"valid", "problems": [{"key", "text"}]} of check, the latter only where there are any; of print, the same as
JSON. schema is JSON always.

Exit codes: 0 valid; 2 not valid.
`,
};
