-- words and events of another node in a role that has none
return plan {
  name = "peer-without-node", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", next = "second",
      enter = function() peer.send("hello") end },
    state "second" { within = "1s", on { "peer:ready", go = "done" } } },
}
