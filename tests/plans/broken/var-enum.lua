-- an enum without words, or with a word twice
return plan {
  name = "var-enum", api = 1, summary = "Is broken.",
  vars = {
    a = var.enum { doc = "d" },
    b = var.enum { "x", "y", "x", doc = "d" },
    c = var.enum { 1, true, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
