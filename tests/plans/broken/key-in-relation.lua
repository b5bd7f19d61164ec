-- an unknown key of a relation
return plan {
  name = "key-in-relation", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { optional = true, doc = "A." },
    b = var.ip { optional = true, doc = "B." },
  },
  relations = { together { "a", "b", when = true } },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
