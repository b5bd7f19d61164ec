-- what does not belong where it stands
return plan {
  name = "stray-items", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      "STOP",
      state "inner" { within = "1s" },
      var.ip { doc = "x" },
      5 },
    on { "STOP", go = "done" },
    "text",
  },
}
