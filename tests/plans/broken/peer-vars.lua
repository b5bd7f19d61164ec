-- vars that are no address and no port
return plan {
  name = "peer-vars", api = 1, summary = "Is broken.",
  vars = {
    address = var.ip { optional = true, doc = "d" },
    theirs = var.ip { "192.0.2.1", role = "dest", doc = "d" },
    text = var.string { "192.0.2.1", doc = "d" },
    port = var.int { 4445, doc = "d" },
  },
  role "source" { peer_to = var "adress", peer_port = var "text",
    state "only" { within = "1s", next = "done" } },
  role "second" { peer_to = var "theirs", peer_port = var "port",
    state "only" { within = "1s", next = "done" } },
  role "dest" { peer_from = var "address", peer_port = 4445,
    state "only" { within = "1s", next = "done" } },
  role "third" { peer_from = var "address",
    state "only" { within = "1s", next = "done" } },
  role "last" { peer_to = "192.0.2.1",
    state "only" { within = "1s", next = "done" } },
}
