# OpenBao takes audit devices from its configuration: copy what you need into every server's, then restart it or send it
# SIGHUP. The receivers of socket and http devices must listen by then, since OpenBao tests each device.

# The second device: OpenBao answers as long as one of its devices takes the entry.
audit "file" "file" {
  options {
    file_path = "/var/log/openbao/audit.log"
  }
}

# VaultFerry's ingress. A receiver that hangs holds each request up for at most write_timeout.
audit "socket" "vaultferry" {
  description = "VaultFerry's ingress"
  options {
    address       = "127.0.0.1:9090" # or a unix socket: socket_type = "unix", address = "/run/vaultferry/audit.sock"
    socket_type   = "tcp"
    write_timeout = "1s"
  }
}

# Instead of the socket: one POST for each entry, and OpenBao waits for its answer. "ack=received" is answered before
# anything is queued, so that OpenBao never waits for SQS. The file holds "Bearer " and one of the ingress's http.tokens,
# without a newline: printf 'Bearer %s' "$TOKEN". Whoever may list the audit devices sees the file's name, not the token.
#
# audit "http" "vaultferry" {
#   description = "VaultFerry's ingress"
#   options {
#     uri     = "https://vaultferry.example:8080/v1/audit?ack=received"
#     headers = "{\"Authorization\": [\"file:///etc/openbao/audit-authorization\"]}"
#   }
# }
