export const USAGE = `vaultferry carries secrets from Vault or OpenBao KV to AWS Secrets Manager.

Usage: vaultferry COMMAND [--config FILE] [--json] …

Commands
  serve [--role ingress] [--role worker]   run the roles (all by default) until SIGTERM
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

Exit codes: 0 done; 1 failed; 2 usage or configuration error; 3 done, and dead letters (dlq list) or
drift (status) or failed checks (doctor) were found.
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
  replicate: `Usage: vaultferry replicate REF… [--config FILE] [--json]

Puts a reference to each secret on the queue, for every destination that its routes lead to. A worker then compares
both ends and writes what differs. Needs no Vault, only the right to send to the queue.

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db.

Exit codes: 0 all are queued; 1 a REF is not routed, or SQS refused; 2 usage or configuration error.
`,
  status: `Usage: vaultferry status [REF…] [--config FILE] [--json]

Compares both ends now and writes to neither: for each secret and destination whether they are in sync, Vault's version,
the copy's, since when it has it, and why not. Without a REF, all that Vault lists and all that has a copy. Shows no
value. Needs what a worker needs of Vault, and secretsmanager:DescribeSecret and ListSecrets.

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db.

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

Exit codes: 0 done (list: no letters); 1 an ID is unknown, or a letter could not be redriven or dropped; 2 usage or
configuration error; 3 list found letters.
`,
  doctor: `Usage: vaultferry doctor [--config FILE] [--json]

Looks at the whole chain, side by side, and says of each check: ok, warning, failure or not checked, what was found, and
below it what mends it. It changes nothing; where VaultFerry logs in to Vault, it logs in once.
  Vault    is it there and unsealed, TLS, the token and how long it lasts, each routed mount, what the policy grants
  audit    a device that pushes to VaultFerry, a second one, log_raw, write_timeout, format
  queues   both are FIFO, wired, kept long enough and encrypted; calls with a receipt that is none
  AWS      each destination's place; ListSecrets, DescribeSecret, and writes that can change nothing
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

Prints the least policy that a worker needs for the routed mounts, as it is written in the root namespace; to be given to
"vault policy write vaultferry -". Asks nothing of anybody.

vault     for HashiCorp Vault; OpenBao takes it too
openbao   with the lines by which OpenBao lists a whole mount at once; Vault refuses a policy that has them

--json gives {"server", "paths": [{"path", "capabilities"}]}.

Exit codes: 0 done; 2 usage or configuration error.
`,
  config: `Usage: vaultferry config check [--role ingress] [--role worker] [--config FILE] [--json]
       vaultferry config print [--config FILE] [--json]
       vaultferry config schema

check    names every wrong key, what was expected there, and the nearest known key; never a value
print    the configuration as it will be used: defaults filled in, secrets masked
schema   the JSON Schema of the configuration file, for editors

Exit codes: 0 valid; 2 not valid.
`,
};
