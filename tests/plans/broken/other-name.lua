-- a plan that is not called like its file
return plan {
  name = "some-other-name", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
