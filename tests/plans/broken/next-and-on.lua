-- a state that goes on before its events can come
return plan {
  name = "next-and-on", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      on { "STOP", go = "abort" } },
  },
}
