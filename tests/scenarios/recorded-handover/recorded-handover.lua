-- SPDX-License-Identifier: Apache-2.0
--- What the recording did by hand: hands a guest over with a pause before the switchover.
return plan {
  name = "recorded-handover", api = 1, summary = "Migrates with a pause before the switchover.",
  vars = { qmp = var.path { doc = "QMP socket." }, uri = var.string { required = true, doc = "Where to." } },
  role "source" {
    state "copying" { within = "1min",
      enter = function(m)
        qmp.enable("events", "pause-before-switchover")
        m:undo("cancel the copy", function() qmp("migrate_cancel") end)
        qmp("migrate", { uri = m.uri })
      end,
      on { "MIGRATION_PASS", run = function(_, event) progress("pass %d", event.data.pass) end },
      on { "MIGRATION", status = "pre-switchover", go = "switching" },
      on { "MIGRATION", status = "failed", go = "abort" } },
    state "switching" { within = "5s",
      enter = function()
        local seen = qmp("query-migrate")
        log.info("%s with %d bytes left; the guest is in %s", seen.status, seen.ram.remaining, qmp("query-status").status)
        qmp("migrate-continue", { state = "pre-switchover" })
        wait { "MIGRATION", status = "device" }
        log.info("%s", qmp("query-migrate").status)
        log.info("%s", qmp("query-migrate").status)
      end,
      on { "MIGRATION", status = "completed", go = "handed-over" },
      on { "MIGRATION", status = "failed", go = "abort" } },
    state "handed-over" { within = "5s", commits = true, next = "done",
      enter = function() log.info("dark for %d ms", qmp("query-migrate").downtime) end },
  },
}
