-- names that cannot be names
return plan {
  name = "Bad_Names", api = 1, summary = "Is broken.",
  vars = { ["two words"] = var.ip { optional = true, doc = "d" }, note = var.ip { optional = true, doc = "d" } },
  role "Node" {
    state "1st" { within = "1s", next = "second state" },
    state "second state" { within = "1s", next = "done" },
    state "" { within = "1s", next = "done" } },
}
