locals {
  approle    = jsondecode(file("${path.module}/../auth/approle.json"))
  aws        = jsondecode(file("${path.module}/../auth/aws.json"))
  kubernetes = jsondecode(file("${path.module}/../auth/kubernetes.json"))
  file       = jsondecode(file("${path.module}/../audit/file.json"))
  socket     = jsondecode(file("${path.module}/../audit/socket.json"))
}

resource "vault_policy" "replicator" {
  namespace = var.namespace
  name      = var.name
  policy    = local.policy

  lifecycle {
    precondition {
      condition     = alltrue([for path in concat(local.spelled, local.kv1_spelled) : startswith(path, local.inside)])
      error_message = "A mount is neither in var.namespace nor below it: no policy reaches it from there."
    }
    precondition {
      condition     = length(var.mounts) + length(var.kv1_mounts) > 0
      error_message = "Name at least one mount, in var.mounts or var.kv1_mounts."
    }
  }
}

resource "vault_auth_backend" "approle" {
  count     = var.approle == null ? 0 : var.approle.enable ? 1 : 0
  namespace = var.namespace
  type      = "approle"
  path      = var.approle.path
}

resource "vault_approle_auth_backend_role" "replicator" {
  count      = var.approle == null ? 0 : 1
  depends_on = [vault_auth_backend.approle]

  namespace               = var.namespace
  backend                 = var.approle.path
  role_name               = var.name
  role_id                 = var.approle.role_id
  bind_secret_id          = local.approle.bind_secret_id
  secret_id_num_uses      = local.approle.secret_id_num_uses
  secret_id_ttl           = local.approle.secret_id_ttl
  secret_id_bound_cidrs   = var.cidrs
  token_policies          = [vault_policy.replicator.name]
  token_bound_cidrs       = var.cidrs
  token_no_default_policy = local.approle.token_no_default_policy
  token_type              = local.approle.token_type
  token_ttl               = local.approle.token_ttl
  token_max_ttl           = local.approle.token_max_ttl
}

resource "vault_aws_auth_backend_role" "replicator" {
  count = var.aws == null ? 0 : 1

  namespace                = var.namespace
  backend                  = var.aws.path
  role                     = var.name
  auth_type                = local.aws.auth_type
  bound_iam_principal_arns = var.aws.principal_arns
  token_policies           = [vault_policy.replicator.name]
  token_bound_cidrs        = var.cidrs
  token_no_default_policy  = local.aws.token_no_default_policy
  token_type               = local.aws.token_type
  token_ttl                = local.aws.token_ttl
  token_max_ttl            = local.aws.token_max_ttl
}

resource "vault_kubernetes_auth_backend_role" "replicator" {
  count = var.kubernetes == null ? 0 : 1

  namespace                        = var.namespace
  backend                          = var.kubernetes.path
  role_name                        = var.name
  bound_service_account_names      = [var.kubernetes.service_account]
  bound_service_account_namespaces = [var.kubernetes.namespace]
  audience                         = var.kubernetes.audience
  token_policies                   = [vault_policy.replicator.name]
  token_bound_cidrs                = var.cidrs
  token_no_default_policy          = local.kubernetes.token_no_default_policy
  token_type                       = local.kubernetes.token_type
  token_ttl                        = local.kubernetes.token_ttl
  token_max_ttl                    = local.kubernetes.token_max_ttl
}

resource "vault_audit" "file" {
  count       = var.audit.file == null ? 0 : 1
  type        = local.file.type
  path        = "file"
  description = local.file.description
  options     = merge(local.file.options, { file_path = var.audit.file })

  lifecycle {
    precondition {
      condition     = !var.openbao
      error_message = "OpenBao takes audit devices from its configuration: see audit/openbao.hcl."
    }
  }
}

# Second, so that the socket is never the only device: Vault answers nothing while its only device fails.
resource "vault_audit" "socket" {
  count       = var.audit.socket == null ? 0 : 1
  depends_on  = [vault_audit.file]
  type        = local.socket.type
  path        = "vaultferry"
  description = local.socket.description
  options = merge(local.socket.options, {
    address     = var.audit.socket
    socket_type = startswith(var.audit.socket, "/") ? "unix" : "tcp"
  })

  lifecycle {
    precondition {
      condition     = var.audit.file != null || var.audit.other_device
      error_message = "The socket would be the only audit device, and Vault would stop whenever VaultFerry does: set audit.file, or audit.other_device where there is another one."
    }
    precondition {
      condition     = !var.openbao
      error_message = "OpenBao takes audit devices from its configuration: see audit/openbao.hcl."
    }
  }
}
