-- an unknown type of var
return plan {
  name = "var-type", api = 1, summary = "Is broken.",
  vars = {
    a = var.durtion { "1s", doc = "d" },
    b = var.number { 5, doc = "d" },
    c = var.address { doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
