-- a role that both connects and listens
return plan {
  name = "peer-both", api = 1, summary = "Is broken.",
  vars = { a = var.ip { "192.0.2.1", doc = "d" }, b = var.ip { "192.0.2.2", doc = "d" } },
  role "node" { peer_to = var "a", peer_from = var "b",
    state "only" { within = "1s", next = "done" } },
}
