-- deadlines by vars that are none
return plan {
  name = "deadline-var", api = 1, summary = "Is broken.",
  vars = {
    patience = var.duration { "1s", doc = "How long." },
    size = var.size { "1MiB", doc = "How much." },
    maybe = var.duration { optional = true, doc = "How long." },
    zero = var.duration { "0s", doc = "How long." },
  },
  role "node" {
    state "first" { within = var "patiance", next = "second" },
    state "second" { within = var "size", next = "third" },
    state "third" { within = var "maybe", next = "fourth" },
    state "fourth" { within = var "zero", next = "fifth" },
    state "fifth" { within = var, next = "sixth" },
    state "sixth" { within = var.duration { "1s", doc = "d" }, next = "done" },
  },
}
