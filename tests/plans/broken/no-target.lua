-- edges that lead to no state are told with the nearest
return plan {
  name = "no-target", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", late = "secnd",
      on { "STOP", go = "seconds" },
      on { "RESUME", go = "elsewhere" } },
    state "second" { within = "1s", next = "don" },
  },
}
