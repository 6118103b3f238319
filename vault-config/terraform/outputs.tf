output "policy" {
  description = "The policy as it is written."
  value       = local.policy
}

output "policy_name" {
  description = "For tokens that are made some other way."
  value       = vault_policy.replicator.name
}

output "role_id" {
  description = "For `vault.auth.roleId`; null without AppRole."
  value       = one(vault_approle_auth_backend_role.replicator[*].role_id)
}
