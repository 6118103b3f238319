# The demo's OpenBao: one node that keeps what it has in a volume, without TLS, for a network of its own and no other.
ui           = true
log_level    = "warn"
api_addr     = "http://127.0.0.1:8200"
cluster_addr = "https://127.0.0.1:8201"

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "127.0.0.1:8201"
  tls_disable     = true
}

storage "raft" {
  path    = "/openbao/file"
  node_id = "demo"

  # A single node needs no long election.
  performance_multiplier = 1
}

audit "file" "file" {
  options {
    file_path = "/openbao/logs/audit.log"
  }
}

# The ingress must listen before OpenBao starts.
audit "socket" "vaultferry" {
  description = "VaultFerry's ingress"
  options {
    address       = "/run/vaultferry/audit.sock"
    socket_type   = "unix"
    write_timeout = "1s"
  }
}
