-- a role that connects where nobody listens, and a port without an address
return plan {
  name = "peer-alone", api = 1, summary = "Is broken.",
  vars = {
    address = var.ip { "192.0.2.1", doc = "d" },
    port = var.int { 4445, min = 1, max = 65535, doc = "d" },
  },
  role "source" { peer_to = var "address",
    state "only" { within = "1s", next = "done" } },
  role "dest" { peer_port = var "port",
    state "only" { within = "1s", next = "done" } },
}
