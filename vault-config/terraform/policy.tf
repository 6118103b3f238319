# The policy, of the files that apply.sh reads too: for each mount its files, then the token's, an empty line between any two.
locals {
  policies = "${path.module}/../policies"
  files    = var.openbao ? ["replicator.hcl", "replicator-openbao.hcl"] : ["replicator.hcl"]

  # [NAMESPACE:]MOUNT as a policy of the root namespace spells it.
  spelled     = [for mount in var.mounts : replace(replace(replace(replace(mount, ":", "/"), "/%3[Aa]/", ":"), "%25", "%"), "//+$/", "")]
  inside      = var.namespace == null ? "" : "${trimsuffix(var.namespace, "/")}/"
  paths       = distinct([for path in local.spelled : trimprefix(path, local.inside)])
  kv1_spelled = [for mount in var.kv1_mounts : replace(replace(replace(replace(mount, ":", "/"), "/%3[Aa]/", ":"), "%25", "%"), "//+$/", "")]
  kv1         = distinct([for path in local.kv1_spelled : trimprefix(path, local.inside)])
  pieces      = flatten([for path in local.paths : [for file in local.files : templatefile("${local.policies}/${file}", { mount = path })]])

  kv1_pieces = [for path in local.kv1 : templatefile("${local.policies}/replicator-kv1.hcl", { mount = path })]

  policy = join("\n", concat(local.pieces, local.kv1_pieces, [file("${local.policies}/replicator-token.hcl")]))
}
