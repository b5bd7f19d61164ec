-- an unknown key of a var
return plan {
  name = "key-in-var", api = 1, summary = "Is broken.",
  vars = {
    patience = var.duration { "1s", documentation = "How long.", dok = "d", doc = "How long." },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
