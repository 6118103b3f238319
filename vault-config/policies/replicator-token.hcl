# VaultFerry's own token: is it alive, and for how long; keep it so.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
