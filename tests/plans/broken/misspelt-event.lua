-- names that are nearly those of events of QEMU's; one that is like none may be of a newer QEMU
return plan {
  name = "misspelt-event", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s",
      on { "MIGRATIONS", go = "done" },
      on { "BLOCK_JOB_READ", go = "done" },
      on { "STOPP", go = "done" },
      on { "WHO_KNOWS_THAT_EVENT", go = "done" },
      on { "STOP", go = "done" } },
  },
}
