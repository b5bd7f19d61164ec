-- vars that are to agree with nobody
return plan {
  name = "var-agree", api = 1, summary = "Is broken.",
  vars = {
    one = var.int { 1, agree = true, doc = "d" },
    two = var.int { 1, agree = true, role = "node", doc = "d" },
    three = var.int { 1, agree = 3, doc = "d" },
  },
  role "node" { state "only" { within = "1s", next = "done" } },
}
